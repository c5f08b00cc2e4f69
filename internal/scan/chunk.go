package scan

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
)

// chunkSize is how much text is handed to a worker at a time; a line that is longer makes its chunk longer.
const chunkSize = 1 << 20

// chunk is a run of whole lines of one input.
type chunk struct {
	input string
	line  int // number of the first line, from 1
	text  []byte
}

// opened gives the lines of an input, unpacked where it is gzip: that is told by its first bytes, not
// by its name, so that it works for standard input too.
func opened(r io.Reader) (io.Reader, error) {
	buffered := bufio.NewReaderSize(r, 256<<10)
	magic, err := buffered.Peek(2)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if !bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		return buffered, nil
	}
	unpacked, err := gzip.NewReader(buffered)
	if err != nil {
		return nil, fmt.Errorf("unpack gzip: %w", err)
	}
	return unpacked, nil
}

// chunker cuts an input into chunks.
type chunker struct {
	input   string
	from    io.Reader
	line    int
	rest    []byte // begins a line that is not whole yet
	buffers *buffers
	ended   bool
}

// next gives the next chunk. io.EOF follows the last; any other error comes with what was read before it.
func (c *chunker) next() (chunk, error) {
	if c.ended {
		return chunk{}, io.EOF
	}
	text := append(c.buffers.get(), c.rest...)
	c.rest = c.rest[:0]
	for {
		searched := len(text)
		var err error
		text, err = readInto(text, c.from)
		if err != nil {
			c.ended = true
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return c.cut(text), err
		}
		if end := bytes.LastIndexByte(text[searched:], '\n'); end >= 0 && len(text) >= chunkSize {
			end += searched + 1
			c.rest = append(c.rest, text[end:]...)
			return c.cut(text[:end]), nil
		}
	}
}

// cut makes a chunk of text and counts its lines.
func (c *chunker) cut(text []byte) chunk {
	k := chunk{input: c.input, line: c.line, text: text}
	c.line += bytes.Count(text, []byte{'\n'})
	return k
}

// readInto reads once behind text, which grows where it is full.
func readInto(text []byte, from io.Reader) ([]byte, error) {
	if cap(text)-len(text) < 64<<10 {
		text = append(make([]byte, 0, 2*cap(text)+chunkSize), text...)
	}
	n, err := from.Read(text[len(text):cap(text)])
	return text[:len(text)+n], err
}

// buffers are the texts of chunks that were worked through, to be filled again.
type buffers struct{ free chan []byte }

func (b *buffers) get() []byte {
	select {
	case text := <-b.free:
		return text[:0]
	default:
		return make([]byte, 0, chunkSize+256<<10)
	}
}

// put takes a text back, but for one that an outsized line made.
func (b *buffers) put(text []byte) {
	if cap(text) > 4*chunkSize {
		return
	}
	select {
	case b.free <- text:
	default:
	}
}
