// A program that keeps some memory and drops more, and writes its heap profile as text.
//
//	hold -runs 50 -rate 4096 -out heap.txt
//
// A run keeps one session of 2,048 bytes and five tokens of 64, and drops a buffer of 65,536.
package main

import (
	"flag"
	"log"
	"os"
	"runtime"
	"runtime/pprof"
)

type session struct{ body [2048]byte }

type token struct{ body [64]byte }

var (
	sessions []*session
	tokens   []*token
	last     []byte
)

//go:noinline
func login() { sessions = append(sessions, &session{}) }

//go:noinline
func issue() { tokens = append(tokens, &token{}) }

//go:noinline
func parse() { last = make([]byte, 65536) }

func run() {
	login()
	for i := 0; i < 5; i++ {
		issue()
	}
	parse()
}

func main() {
	runs := flag.Int("runs", 50, "runs")
	rate := flag.Int("rate", 4096, "one sample in as many bytes")
	out := flag.String("out", "heap.txt", "where the profile goes")
	flag.Parse()
	runtime.MemProfileRate = *rate

	sessions = make([]*session, 0, 1000)
	tokens = make([]*token, 0, 5000)
	for i := 0; i < *runs; i++ {
		run()
	}
	last = nil
	file, err := os.Create(*out)
	if err != nil {
		log.Fatal(err)
	}
	runtime.GC()
	runtime.GC()
	if err := pprof.Lookup("heap").WriteTo(file, 1); err != nil {
		log.Fatal(err)
	}
	runtime.KeepAlive(sessions)
	runtime.KeepAlive(tokens)
}
