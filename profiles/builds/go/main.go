// A shop of allocations, each in its own line and of its own size, all of them kept. `//@ name`
// marks the line that the table of true pairs knows by this name. Sizes are whole pages, because
// the profile counts what the allocator rounds up to.
package main

import (
	"bytes"
	"os"
	"runtime"
	"runtime/pprof"
	"strings"
)

const page = 8192

var held [][]byte

func keep(b []byte) { held = append(held, b) }

func header(n int) {
	keep(make([]byte, page*5+n)) //@ header
	field(n)
}

func field(n int) {
	keep(make([]byte, page*6+n)) //@ field-first
	keep(make([]byte, page*7+n)) //@ field-second
}

type sink interface{ emit(n int) }
type file struct{}
type network struct{ room []byte }

func (file) emit(n int) {
	keep(make([]byte, page*8+n)) //@ file-emit
}

func (s *network) emit(n int) {
	s.room = make([]byte, page*9+n) //@ network-emit
	keep(s.room)
}

func store[T any](n int) {
	_ = make([]T, 0)
	keep(make([]byte, page*n)) //@ store
}

func helper(n int) []byte {
	return make([]byte, page*n) //@ helper
}

func callerOne() {
	keep(helper(12)) //@ via caller-one
}

func callerTwo() {
	keep(helper(13)) //@ via caller-two
	keep(helper(14)) //@ via caller-two-again
}

func closures(n int) {
	double := func(k int) {
		keep(make([]byte, page*15+k)) //@ closures-double
	}
	triple := func(k int) {
		keep(make([]byte, page*16+k)) //@ closures-triple
		func() {
			keep(make([]byte, page*17+k)) //@ closures-inner
		}()
	}
	double(n)
	triple(n)
}

func plan(depth, n int) {
	if depth == 0 {
		keep(make([]byte, page*18+n)) //@ plan-leaf
		return
	}
	keep(make([]byte, page*(18+depth)+n)) //@ plan-step
	plan(depth-1, n)
}

func cache(n int) {
	keep(make([]byte, page*22+n)) //@ cache-first
	keep(make([]byte, page*23+n)) //@ cache-second
	keep(make([]byte, page*24+n)) //@ cache-third
}

func encode(n int) {
	text := strings.Repeat("a", page*25+n) //@ encode-repeat
	keep([]byte(text[:page*26-page]))      //@ encode-bytes
	var b bytes.Buffer
	b.Grow(page*27 + n) //@ encode-grow
	keep(b.Bytes())
	held = append(held, make([]byte, page*28+n)) //@ encode-append
}

func session(n int) {
	names := make(map[int][]byte)
	for i := 0; i < 2; i++ {
		names[i] = make([]byte, page*29+n) //@ session-loop
		keep(names[i])
	}
	defer func() {
		keep(make([]byte, page*30+n)) //@ session-defer
	}()
}

func run(n int) {
	header(n)
	for _, s := range []sink{file{}, &network{}} {
		s.emit(n)
	}
	store[int](10)
	store[string](11)
	callerOne()
	callerTwo()
	closures(n)
	plan(2, n)
	cache(n)
	encode(n)
	session(n)
}

func main() {
	runtime.MemProfileRate = 1
	held = make([][]byte, 0, 64)
	run(len(os.Args) - 2)
	runtime.GC()
	out, err := os.Create(os.Args[1])
	if err != nil {
		panic(err)
	}
	pprof.Lookup("allocs").WriteTo(out, 0)
	out.Close()
}
