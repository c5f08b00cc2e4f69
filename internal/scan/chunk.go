package scan

import (
	"bytes"
	"errors"
	"io"
)

// chunkSize is how much text is handed to a worker at a time; a line that is longer makes its chunk
// longer.
const chunkSize = 256 << 10

// chunk is a run of whole lines of one input.
type chunk struct {
	input string
	line  int // number of the first line, from 1
	text  []byte
}

// chunker cuts an input into chunks.
type chunker struct {
	input string
	from  io.Reader
	line  int
	rest  []byte // begins a line that is not whole yet
	ended bool
}

// next gives the next chunk, in the room of the buffer or in a larger one. io.EOF follows the last;
// any other error comes with what was read before it.
func (c *chunker) next(buffer []byte) (chunk, error) {
	if c.ended {
		return chunk{}, io.EOF
	}
	text := append(buffer[:0], c.rest...)
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

// readInto reads once behind text, which grows where a line is longer than a chunk.
func readInto(text []byte, from io.Reader) ([]byte, error) {
	const room = 64 << 10
	if cap(text)-len(text) < room {
		text = append(make([]byte, 0, 2*cap(text)+chunkSize+room), text...)
	}
	n, err := from.Read(text[len(text):cap(text)])
	return text[:len(text)+n], err
}
