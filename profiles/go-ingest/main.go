// A telemetry ingestion service in Go with four classic memory faults behind switches.
//
// Like examples/ingest.rs, and smaller: it reads gzip-compressed batches from keep-alive
// connections, buffers the points of each measurement, flushes the buffers to a sink that can
// fail, and answers every batch. The clients live in the same process; every run does the same
// work. At the end it writes a heap profile.
package main

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"runtime"
	"runtime/pprof"
	"strings"
)

const (
	connections    = 20
	readStep       = 16 << 10     // a connection asks for room in steps of this size
	idleRoom       = 2 * readStep // what an idle connection may keep
	inflateChunk   = 16 << 10     // size of the pieces that decompressChunks collects
	fieldsSize     = 960
	flushAt        = 64
	retryCap       = 2 * 4000 // twice what a buffer is meant to hold
	maxAttempts    = 3
	regularRecords = 42
	largeRecords   = 1200
)

var faults struct {
	doubleBuffer, retries, keepAlive, encoder bool
}

// Connection reads frames into a buffer of its own.
type Connection struct {
	buffer []byte
	answer [8]byte
}

// fill copies one frame into the buffer, which grows in steps to what the payload needs.
func (c *Connection) fill(frame []byte) {
	if need := (len(frame) + readStep - 1) / readStep * readStep; need > cap(c.buffer) {
		c.buffer = make([]byte, 0, need)
	}
	c.buffer = append(c.buffer[:0], frame...)
}

// respond sends the answer. The fault keep-alive: the connection keeps the room of its largest
// payload for as long as it is open.
func (c *Connection) respond(answer []byte) {
	copy(c.answer[:], answer)
	if !faults.keepAlive && cap(c.buffer) > idleRoom {
		c.shrink()
	}
}

func (c *Connection) shrink() {
	c.buffer = make([]byte, 0, idleRoom)
}

// decompressDoubled is the fault double-buffer: the chunks and what they are joined to are alive
// at the same time.
func decompressDoubled(compressed []byte) ([]byte, error) {
	chunks, err := decompressChunks(compressed)
	return joinChunks(chunks), err
}

func decompressChunks(compressed []byte) ([][]byte, error) {
	reader, err := gzip.NewReader(bytes.NewReader(compressed))
	if err != nil {
		return nil, err
	}
	var chunks [][]byte
	for {
		chunk := make([]byte, inflateChunk)
		n, err := io.ReadFull(reader, chunk)
		chunks = append(chunks, chunk[:n])
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			return chunks, nil
		} else if err != nil {
			return nil, err
		}
	}
}

func joinChunks(chunks [][]byte) []byte {
	total := 0
	for _, chunk := range chunks {
		total += len(chunk)
	}
	payload := make([]byte, 0, total)
	for _, chunk := range chunks {
		payload = append(payload, chunk...)
	}
	return payload
}

// decompressSized uses the size that the end of a gzip stream states.
func decompressSized(compressed []byte) ([]byte, error) {
	reader, err := gzip.NewReader(bytes.NewReader(compressed))
	if err != nil {
		return nil, err
	}
	payload := make([]byte, binary.LittleEndian.Uint32(compressed[len(compressed)-4:]))
	_, err = io.ReadFull(reader, payload)
	return payload, err
}

// Sink never takes a line of disk, and is away for net once in every seventh batch.
type Sink struct {
	written int
	away    bool
}

var errRefused = errors.New("refused")

func (s *Sink) write(measurement string, body []byte) error {
	if measurement == "disk" || measurement == "net" && s.away {
		s.away = s.away && measurement == "disk"
		return errRefused
	}
	s.written += len(body)
	return nil
}

// Point is a record that waits to be flushed.
type Point struct {
	timestamp uint64
	fields    []byte
}

// Refused is a line that the sink did not take.
type Refused struct {
	next *Refused
	line [1016]byte
}

// Buffer holds the points of one measurement.
type Buffer struct {
	measurement string
	points      []Point
	refused     *Refused
	waiting     int
}

func (b *Buffer) push(timestamp uint64, fields []byte) {
	b.points = append(b.points, Point{timestamp, append([]byte(nil), fields...)})
}

func appendLine(body []byte, measurement string, point *Point) []byte {
	body = append(body, measurement...)
	var digits [16]byte
	for i, rest := len(digits)-1, point.timestamp; i >= 0; i, rest = i-1, rest/10 {
		digits[i] = '0' + byte(rest%10)
	}
	body = append(body, digits[:]...)
	return append(body, point.fields...)
}

// readdFailed is the fault retries: what failed goes back into the buffer, up to a cap that is
// far away.
func (b *Buffer) readdFailed() {
	for i := range b.points {
		if b.waiting < retryCap {
			refused := &Refused{next: b.refused}
			appendLine(refused.line[:0], b.measurement, &b.points[i])
			b.refused = refused
			b.waiting++
		}
	}
}

// retryRefused offers everything that was refused once more.
func (b *Buffer) retryRefused(sink *Sink) {
	for link := &b.refused; *link != nil; {
		if sink.write(b.measurement, (*link).line[:]) == nil {
			*link = (*link).next
			b.waiting--
		} else {
			link = &(*link).next
		}
	}
}

// Chunk is room for answers.
type Chunk struct {
	previous *Chunk
	bytes    [3064]byte
}

// Encoder encodes answers into a chunk that lasts until the next reset.
type Encoder struct {
	chunk, retired *Chunk
}

func (e *Encoder) encode(accepted int) []byte {
	e.chunk = new(Chunk)
	binary.LittleEndian.PutUint64(e.chunk.bytes[:], uint64(accepted))
	return e.chunk.bytes[:8]
}

// reset has the fault encoder: the finished chunk is put aside and never released.
func (e *Encoder) reset() {
	if faults.encoder {
		e.chunk.previous = e.retired
		e.retired = e.chunk
	}
	e.chunk = nil
}

// Service takes in batches.
type Service struct {
	buffers []*Buffer
	body    []byte
	sink    Sink
	encoder Encoder
	dropped int
}

func (s *Service) serve(batch int, connection *Connection, frame []byte) error {
	connection.fill(frame)
	decompress := decompressSized
	if faults.doubleBuffer {
		decompress = decompressDoubled
	}
	payload, err := decompress(connection.buffer)
	if err != nil {
		return err
	}
	s.sink.away = batch%7 == 0
	accepted := s.ingest(payload)
	for _, buffer := range s.buffers {
		s.flush(buffer)
	}
	connection.respond(s.encoder.encode(accepted))
	s.encoder.reset()
	return nil
}

// ingest moves the records of a payload into the buffers of their measurements.
func (s *Service) ingest(payload []byte) (accepted int) {
	for len(payload) > 0 {
		buffer := s.buffers[payload[0]]
		buffer.push(binary.LittleEndian.Uint64(payload[1:]), payload[9:9+fieldsSize])
		if len(buffer.points) == flushAt {
			s.flush(buffer)
		}
		payload = payload[9+fieldsSize:]
		accepted++
	}
	return accepted
}

func (s *Service) flush(buffer *Buffer) {
	s.body = s.body[:0]
	for i := range buffer.points {
		s.body = appendLine(s.body, buffer.measurement, &buffer.points[i])
	}
	if faults.retries {
		buffer.retryRefused(&s.sink)
		if s.sink.write(buffer.measurement, s.body) != nil {
			buffer.readdFailed()
		}
	} else {
		err := errRefused
		for attempt := 0; attempt < maxAttempts && err != nil; attempt++ {
			err = s.sink.write(buffer.measurement, s.body)
		}
		if err != nil {
			s.dropped += len(buffer.points)
		}
	}
	for i := range buffer.points {
		buffer.points[i] = Point{}
	}
	buffer.points = buffer.points[:0]
}

// XorShift gives the same numbers in every run.
type XorShift uint64

func (x *XorShift) next() byte {
	*x ^= *x << 13
	*x ^= *x >> 7
	*x ^= *x << 17
	return byte(*x >> 56)
}

// prepareFrame makes a batch: four records of disk, four of net, the others of cpu and mem.
func prepareFrame(records int, random *XorShift) []byte {
	var frame bytes.Buffer
	writer := gzip.NewWriter(&frame)
	record := bytes.Repeat([]byte{'.'}, 9+fieldsSize)
	for i := 0; i < records; i++ {
		record[0] = byte(2 + i%2)
		if i < 8 {
			record[0] = byte(i / 4)
		}
		binary.LittleEndian.PutUint64(record[1:], 1700000000000000+uint64(i))
		for n := 9; n < 9+464; n++ {
			record[n] = random.next()
		}
		writer.Write(record)
	}
	writer.Close()
	return append([]byte(nil), frame.Bytes()...)
}

func main() {
	batches := flag.Int("batches", 50, "batches to send")
	list := flag.String("faults", "", "faults to switch on, separated by commas")
	rate := flag.Int("rate", 512<<10, "one sample in as many bytes")
	out := flag.String("out", "", "write a heap profile into this file")
	flag.Parse()
	runtime.MemProfileRate = *rate
	faults.doubleBuffer = strings.Contains(*list, "double-buffer")
	faults.retries = strings.Contains(*list, "retries")
	faults.keepAlive = strings.Contains(*list, "keep-alive")
	faults.encoder = strings.Contains(*list, "encoder")

	// The distance to the first sample is drawn with the rate that the runtime started with. What
	// the load allocates uses it up, so that the service is sampled at the rate asked for.
	random := XorShift(0x9e3779b97f4a7c15)
	regular, large := prepareFrame(regularRecords, &random), prepareFrame(largeRecords, &random)

	service := &Service{}
	for _, measurement := range []string{"disk", "net", "cpu", "mem"} {
		service.buffers = append(service.buffers, &Buffer{measurement: measurement})
	}
	clients := make([]Connection, connections)
	// The batches 1 to 20 are large, one for each connection: what a client piled up before it
	// connected. From then on one in a hundred is.
	for batch := 1; batch <= *batches; batch++ {
		frame := regular
		if batch <= connections || batch%100 == 60 {
			frame = large
		}
		if err := service.serve(batch, &clients[batch%connections], frame); err != nil {
			log.Fatal(err)
		}
	}
	fmt.Fprintf(os.Stderr, "%d bytes written, %d points dropped, %d waiting, frames of %d and %d bytes\n",
		service.sink.written, service.dropped, service.buffers[0].waiting, len(regular), len(large))

	if *out != "" {
		file, err := os.Create(*out)
		if err != nil {
			log.Fatal(err)
		}
		// What is in use is known as of the last finished collection.
		runtime.GC()
		runtime.GC()
		if err := pprof.WriteHeapProfile(file); err != nil {
			log.Fatal(err)
		}
		if err := file.Close(); err != nil {
			log.Fatal(err)
		}
	}
	runtime.KeepAlive(service)
	runtime.KeepAlive(clients)
}
