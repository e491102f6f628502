//! A telemetry ingestion service with four classic memory faults behind switches.
//!
//! It reads gzip-compressed `MessagePack` batches from keep-alive connections, buffers the records
//! of each measurement, flushes the buffers to a sink that can fail, and answers every batch. The
//! clients live in the same process and speak to it through memory, so two runs differ by their
//! switches and by nothing else. `--out FILE` records a heap profile with dhat.
//!
//! ```text
//! cargo run --release --example ingest -- --batches 200 --faults retries,encoder --out heap.json
//! ```
//!
//! | switch          | faulty                                             | cured                  |
//! |-----------------|----------------------------------------------------|------------------------|
//! | `double-buffer` | decompress into a list of chunks, then join them   | one buffer of the size |
//! | `retries`       | what the sink refused goes back into the buffer    | three attempts         |
//! | `keep-alive`    | a connection keeps the room of its largest payload | shrinks after an answer |
//! | `encoder`       | resetting the encoder keeps its finished chunks    | releases them          |

use std::collections::VecDeque;
use std::error::Error;
use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::rc::Rc;
use std::thread;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde::{Deserialize, Serialize};

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

/// Clients, each with a connection that stays open.
const CONNECTIONS: usize = 20;
/// A connection asks for room in steps of this size.
const READ_STEP: usize = 64 * 1024;
/// The room that an idle connection may keep: enough for a regular payload.
const IDLE_ROOM: usize = 3 * READ_STEP;
/// Largest payload that is accepted, compressed or not.
const MAX_PAYLOAD: usize = 64 * 1024 * 1024;
/// Size of the pieces that `decompress_chunks` collects.
const INFLATE_CHUNK: usize = 64 * 1024;
/// A buffer of a measurement is flushed when it holds as many points.
const FLUSH_AT: usize = 256;
/// Points that wait for another attempt, at most: twice what a buffer is meant to hold.
const RETRY_CAP: usize = 2 * 4_000;
/// Attempts before a refused flush is dropped, when retries are bounded.
const MAX_ATTEMPTS: usize = 3;
/// Size of the fields of a record.
const FIELDS: usize = 960;
/// Room for answers in one chunk of the encoder; a chunk is 3,072 bytes in all.
const ANSWER_ROOM: usize = 3_056;

/// One of the faults that can be switched on.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Fault {
    DoubleBuffer,
    Retries,
    KeepAlive,
    Encoder,
}

/// A telemetry ingestion service and its clients, in one process.
#[derive(Parser)]
struct Options {
    /// Batches to send
    #[arg(long, default_value_t = 50)]
    batches: u32,
    /// Milliseconds to wait after each batch
    #[arg(long, value_name = "MS", default_value_t = 0)]
    delay: u64,
    /// Faults to switch on; without any, everything is cured
    #[arg(long, value_delimiter = ',')]
    faults: Vec<Fault>,
    /// Record a heap profile into this file
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

// ---------------------------------------------------------------------------------------------
// What travels
// ---------------------------------------------------------------------------------------------

/// A record as it lies in a decompressed batch: nothing is copied.
#[derive(Serialize, Deserialize)]
struct Record<'a> {
    measurement: &'a str,
    host: &'a str,
    timestamp: u64,
    #[serde(with = "serde_bytes")]
    fields: &'a [u8],
}

/// The answer to a batch.
#[derive(Serialize, Deserialize)]
struct Answer {
    batch: u32,
    accepted: u32,
}

// ---------------------------------------------------------------------------------------------
// Connections
// ---------------------------------------------------------------------------------------------

/// The client's end of a connection: a frame to be read, and the answer that came back.
struct Wire<'load> {
    frame: &'load [u8],
    answer: Vec<u8>,
}

impl Read for Wire<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.frame.read(into)
    }
}

impl Write for Wire<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.answer.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The service's end: reads frames (a length, then a payload) into a buffer of its own.
struct Connection<S> {
    stream: S,
    buffer: Vec<u8>,
    shrinks: bool,
}

impl<S: Read + Write> Connection<S> {
    fn new(stream: S, shrinks: bool) -> Self {
        Self {
            stream,
            buffer: Vec::new(),
            shrinks,
        }
    }

    /// Reads one frame into the buffer, which grows in steps to what the payload needs.
    fn fill(&mut self) -> io::Result<()> {
        let mut header = [0; 4];
        self.stream.read_exact(&mut header)?;
        let length = u32::from_le_bytes(header) as usize;
        if length > MAX_PAYLOAD {
            return Err(io::Error::other(format!("a payload of {length} bytes")));
        }
        self.buffer.clear();
        self.buffer
            .reserve_exact(length.next_multiple_of(READ_STEP));
        self.buffer.resize(length, 0);
        self.stream.read_exact(&mut self.buffer)
    }

    /// Sends the answer and gets ready for the next frame.
    ///
    /// The fault `keep-alive`: one large payload, and the connection keeps room for it as long as
    /// it is open, however small the payloads are that follow.
    fn respond(&mut self, answer: &[u8]) -> io::Result<()> {
        self.stream.write_all(answer)?;
        self.stream.flush()?;
        if self.shrinks {
            self.buffer.clear();
            self.buffer.shrink_to(IDLE_ROOM);
        }
        Ok(())
    }
}

// ---------------------------------------------------------------------------------------------
// Decompression
// ---------------------------------------------------------------------------------------------

/// The fault `double-buffer`: the chunks and what they are joined to are alive at the same time,
/// twice the payload.
fn decompress_doubled(compressed: &[u8]) -> io::Result<Vec<u8>> {
    let chunks = decompress_chunks(compressed)?;
    Ok(join_chunks(&chunks))
}

/// Decompresses into a list of chunks.
fn decompress_chunks(compressed: &[u8]) -> io::Result<Vec<Vec<u8>>> {
    let mut decoder = GzDecoder::new(compressed);
    let mut chunks = Vec::new();
    loop {
        let mut chunk = Vec::with_capacity(INFLATE_CHUNK);
        let room = INFLATE_CHUNK as u64;
        if decoder.by_ref().take(room).read_to_end(&mut chunk)? == 0 {
            return Ok(chunks);
        }
        chunks.push(chunk);
    }
}

fn join_chunks(chunks: &[Vec<u8>]) -> Vec<u8> {
    chunks.concat()
}

/// Decompresses into one buffer, of the size that the end of a gzip stream states.
fn decompress_sized(compressed: &[u8]) -> io::Result<Vec<u8>> {
    let trailer = compressed.last_chunk().copied().unwrap_or_default();
    let length = u32::from_le_bytes(trailer) as usize;
    if length > MAX_PAYLOAD {
        return Err(io::Error::other(format!("a payload of {length} bytes")));
    }
    let mut payload = Vec::with_capacity(length);
    GzDecoder::new(compressed).read_to_end(&mut payload)?;
    Ok(payload)
}

// ---------------------------------------------------------------------------------------------
// Buffers of measurements
// ---------------------------------------------------------------------------------------------

/// A record that waits to be flushed.
struct Point {
    host: Rc<str>,
    timestamp: u64,
    fields: Box<[u8]>,
}

/// A point that the sink refused, as the line it was sent as.
struct Refused {
    line: Box<[u8]>,
}

/// The points of one measurement.
struct Buffer {
    measurement: String,
    points: Vec<Point>,
    refused: VecDeque<Refused>,
}

impl Buffer {
    fn new(measurement: &str) -> Self {
        Self {
            measurement: measurement.to_owned(),
            points: Vec::new(),
            refused: VecDeque::with_capacity(RETRY_CAP),
        }
    }

    fn push(&mut self, host: Rc<str>, record: &Record<'_>) {
        self.points.push(Point {
            host,
            timestamp: record.timestamp,
            fields: record.fields.into(),
        });
    }

    /// Writes all points as lines, one after the other.
    fn write_lines(&self, body: &mut Vec<u8>) {
        for point in &self.points {
            append_line(body, &self.measurement, point);
        }
    }

    /// The fault `retries`: what failed goes back into the buffer, up to a cap that is far away.
    /// That is right while the sink is away for a moment; points that it will never take stay.
    fn readd_failed(&mut self) {
        for point in &self.points {
            if self.refused.len() < RETRY_CAP {
                let mut line = Vec::with_capacity(line_length(&self.measurement, point));
                append_line(&mut line, &self.measurement, point);
                let line = line.into_boxed_slice();
                self.refused.push_back(Refused { line });
            }
        }
    }

    /// Offers everything that was refused once more; what is refused again stays in order.
    fn retry_refused(&mut self, sink: &mut Sink) {
        let measurement = &self.measurement;
        self.refused
            .retain(|refused| sink.write(measurement, &refused.line).is_err());
    }
}

/// `measurement,host timestamp fields\n`, with the timestamp in sixteen digits.
fn append_line(body: &mut Vec<u8>, measurement: &str, point: &Point) {
    body.extend_from_slice(measurement.as_bytes());
    body.push(b',');
    body.extend_from_slice(point.host.as_bytes());
    body.push(b' ');
    let mut digits = [b'0'; 16];
    let mut rest = point.timestamp;
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    body.extend_from_slice(&digits);
    body.push(b' ');
    body.extend_from_slice(&point.fields);
    body.push(b'\n');
}

fn line_length(measurement: &str, point: &Point) -> usize {
    measurement.len() + point.host.len() + 16 + point.fields.len() + 4
}

// ---------------------------------------------------------------------------------------------
// The sink
// ---------------------------------------------------------------------------------------------

struct SinkError;

/// Where the lines go. It never takes a line of `disk` (its table has another schema), and it is
/// away at the first write of `net` in every seventh batch.
#[derive(Default)]
struct Sink {
    written: u64,
    away: bool,
}

impl Sink {
    fn begin_batch(&mut self, batch: u32) {
        self.away = batch.is_multiple_of(7);
    }

    fn write(&mut self, measurement: &str, body: &[u8]) -> Result<(), SinkError> {
        if measurement == "disk" || (measurement == "net" && std::mem::take(&mut self.away)) {
            return Err(SinkError);
        }
        self.written += body.len() as u64;
        Ok(())
    }
}

// ---------------------------------------------------------------------------------------------
// The encoder of answers
// ---------------------------------------------------------------------------------------------

/// Room for answers; what is kept forms a list.
struct Chunk {
    previous: Option<Box<Chunk>>,
    used: usize,
    bytes: [u8; ANSWER_ROOM],
}

impl Chunk {
    const EMPTY: Self = Self {
        previous: None,
        used: 0,
        bytes: [0; ANSWER_ROOM],
    };
}

impl Write for Chunk {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = (&mut self.bytes[self.used..]).write(bytes)?;
        self.used += written;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Encodes answers into a chunk of memory that lasts until the next reset.
struct Encoder {
    chunk: Option<Box<Chunk>>,
    retired: Option<Box<Chunk>>,
    releases: bool,
}

impl Encoder {
    fn new(releases: bool) -> Self {
        Self {
            chunk: None,
            retired: None,
            releases,
        }
    }

    fn encode(&mut self, answer: &Answer) -> Result<&[u8], Box<dyn Error>> {
        let chunk = self.chunk.insert(Box::new(Chunk::EMPTY));
        rmp_serde::encode::write(chunk, answer)?;
        Ok(&chunk.bytes[..chunk.used])
    }

    /// Makes the encoder ready for the next answer.
    ///
    /// The fault `encoder`: a reset that puts the finished chunk aside and never gives it back.
    /// The cure is to release it.
    fn reset(&mut self) {
        if let Some(mut chunk) = self.chunk.take()
            && !self.releases
        {
            chunk.previous = self.retired.take();
            self.retired = Some(chunk);
        }
    }
}

impl Drop for Encoder {
    /// Gives the retired chunks back one after the other rather than by recursion.
    fn drop(&mut self) {
        while let Some(chunk) = self.retired.take() {
            self.retired = chunk.previous;
        }
    }
}

// ---------------------------------------------------------------------------------------------
// The service
// ---------------------------------------------------------------------------------------------

struct Service {
    faults: Vec<Fault>,
    hosts: Vec<Rc<str>>,
    buffers: Vec<Buffer>,
    body: Vec<u8>,
    sink: Sink,
    encoder: Encoder,
    dropped: u64,
}

impl Service {
    fn new(faults: Vec<Fault>) -> Self {
        let encoder = Encoder::new(!faults.contains(&Fault::Encoder));
        Self {
            faults,
            hosts: Vec::new(),
            buffers: Vec::new(),
            body: Vec::new(),
            sink: Sink::default(),
            encoder,
            dropped: 0,
        }
    }

    /// Reads a batch, takes in its records, flushes them and answers.
    fn serve<S>(&mut self, batch: u32, connection: &mut Connection<S>) -> Result<(), Box<dyn Error>>
    where
        S: Read + Write,
    {
        connection.fill()?;
        let payload = self.decompress(&connection.buffer)?;
        self.sink.begin_batch(batch);
        let accepted = self.ingest(&payload)?;
        drop(payload);
        self.flush_all();
        let answer = self.encoder.encode(&Answer { batch, accepted })?;
        connection.respond(answer)?;
        self.encoder.reset();
        Ok(())
    }

    fn decompress(&self, compressed: &[u8]) -> io::Result<Vec<u8>> {
        if self.faults.contains(&Fault::DoubleBuffer) {
            decompress_doubled(compressed)
        } else {
            decompress_sized(compressed)
        }
    }

    /// Moves the records of a batch into the buffers of their measurements.
    fn ingest(&mut self, payload: &[u8]) -> Result<u32, Box<dyn Error>> {
        let records: Vec<Record<'_>> = rmp_serde::from_slice(payload)?;
        for record in &records {
            let host = self.intern_host(record.host);
            let index = self.buffer_of(record.measurement);
            let buffer = &mut self.buffers[index];
            buffer.push(host, record);
            if buffer.points.len() == FLUSH_AT {
                self.flush(index);
            }
        }
        Ok(u32::try_from(records.len())?)
    }

    fn intern_host(&mut self, name: &str) -> Rc<str> {
        if let Some(host) = self.hosts.iter().find(|host| ***host == *name) {
            return Rc::clone(host);
        }
        let host: Rc<str> = name.into();
        self.hosts.push(Rc::clone(&host));
        host
    }

    fn buffer_of(&mut self, measurement: &str) -> usize {
        let known = self
            .buffers
            .iter()
            .position(|buffer| buffer.measurement == measurement);
        known.unwrap_or_else(|| {
            self.buffers.push(Buffer::new(measurement));
            self.buffers.len() - 1
        })
    }

    fn flush_all(&mut self) {
        for index in 0..self.buffers.len() {
            self.flush(index);
        }
    }

    /// Sends the points of one measurement to the sink.
    fn flush(&mut self, index: usize) {
        let buffer = &mut self.buffers[index];
        self.body.clear();
        buffer.write_lines(&mut self.body);
        if self.faults.contains(&Fault::Retries) {
            buffer.retry_refused(&mut self.sink);
            if self.sink.write(&buffer.measurement, &self.body).is_err() {
                buffer.readd_failed();
            }
        } else {
            let taken =
                (0..MAX_ATTEMPTS).any(|_| self.sink.write(&buffer.measurement, &self.body).is_ok());
            if !taken {
                self.dropped += buffer.points.len() as u64;
            }
        }
        buffer.points.clear();
    }
}

// ---------------------------------------------------------------------------------------------
// The load
// ---------------------------------------------------------------------------------------------

/// What the clients send, prepared before anything is measured.
///
/// After connecting, each client first sends what it piled up while it was away, a payload of
/// 5 MB: those are the batches 1 to 20, one on each connection. From then on the payloads have
/// 168 KB, and 5 MB in one of a hundred.
struct Load {
    regular: Vec<Vec<u8>>,
    large: Vec<u8>,
}

impl Load {
    const REGULAR_RECORDS: usize = 333;
    const LARGE_RECORDS: usize = 9_900;

    fn prepare() -> Result<Self, Box<dyn Error>> {
        let mut random = XorShift(0x9e37_79b9_7f4a_7c15);
        let mut regular = Vec::new();
        for _ in 0..4 {
            regular.push(prepare_frame(Self::REGULAR_RECORDS, &mut random)?);
        }
        let large = prepare_frame(Self::LARGE_RECORDS, &mut random)?;
        Ok(Self { regular, large })
    }

    fn frame(&self, batch: u32) -> &[u8] {
        if batch as usize <= CONNECTIONS || batch % 100 == 60 {
            &self.large
        } else {
            &self.regular[batch as usize % self.regular.len()]
        }
    }
}

/// A frame of as many records: eight of `disk`, eight of `net`, the others of `cpu` and `mem`.
fn prepare_frame(records: usize, random: &mut XorShift) -> Result<Vec<u8>, Box<dyn Error>> {
    let hosts: Vec<String> = (0..64).map(|host| format!("edge-{host:02}")).collect();
    let mut fields = vec![[b'.'; FIELDS]; records];
    for noise in fields.iter_mut().flat_map(|fields| {
        // About a half of it, so that the payload compresses to about a half.
        fields[..464].chunks_exact_mut(8)
    }) {
        noise.copy_from_slice(&random.next().to_le_bytes());
    }
    let batch: Vec<Record<'_>> = fields
        .iter()
        .enumerate()
        .map(|(index, fields)| Record {
            measurement: match index {
                0..8 => "disk",
                8..16 => "net",
                _ if index % 2 == 0 => "cpu",
                _ => "mem",
            },
            host: &hosts[index % hosts.len()],
            timestamp: 1_700_000_000_000_000 + index as u64,
            fields,
        })
        .collect();
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    rmp_serde::encode::write(&mut encoder, &batch)?;
    let payload = encoder.finish()?;
    let mut frame = u32::try_from(payload.len())?.to_le_bytes().to_vec();
    frame.extend_from_slice(&payload);
    Ok(frame)
}

/// Marsaglia's xorshift64: the same numbers in every run.
struct XorShift(u64);

impl XorShift {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::parse();
    let load = Load::prepare()?;
    let profiler = options.out.map(|file| {
        dhat::Profiler::builder()
            .file_name(file)
            .trim_backtraces(Some(32))
            .build()
    });

    let shrinks = !options.faults.contains(&Fault::KeepAlive);
    let mut connections = Vec::with_capacity(CONNECTIONS);
    for _ in 0..CONNECTIONS {
        let wire = Wire {
            frame: &[],
            answer: Vec::with_capacity(64),
        };
        connections.push(Connection::new(wire, shrinks));
    }
    let mut service = Service::new(options.faults);
    for batch in 1..=options.batches {
        let connection = &mut connections[batch as usize % CONNECTIONS];
        connection.stream.frame = load.frame(batch);
        connection.stream.answer.clear();
        service.serve(batch, connection)?;
        let answer: Answer = rmp_serde::from_slice(&connection.stream.answer)?;
        assert_eq!(answer.batch, batch, "an answer to another batch");
        thread::sleep(Duration::from_millis(options.delay));
    }

    // Everything was flushed and answered: what is alive now is what the service keeps.
    drop(profiler);
    let written = service.sink.written;
    let dropped = service.dropped;
    let waiting: usize = service.buffers.iter().map(|b| b.refused.len()).sum();
    eprintln!("{written} bytes written, {dropped} points dropped, {waiting} waiting");
    Ok(())
}
