package report

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"os"
)

// How much is packed into one element of the page: what the script unpacks to show one signal, and
// to read the list.
const (
	blockBytes   = 512 << 10
	blockSignals = 200
	rowsBytes    = 256 << 10
)

// spool holds the data of the page on disk until the page is put together, as the script elements
// that they become: JSON packed by gzip and written as base64, so that nothing of it can be taken
// for markup.
type spool struct {
	file    *os.File
	zip     *gzip.Writer // is large, so one for all
	block   bytes.Buffer // lines of signals that are not packed yet
	inBlock int
	first   int // the number of the first of them
	rows    bytes.Buffer
	written int64
}

// newSpool makes a file that has no name as soon as the system allows it: event data must not stay
// behind after a crash.
func newSpool(folder string) (*spool, error) {
	file, err := os.CreateTemp(folder, temporaryName)
	if err != nil {
		return nil, err
	}
	_ = os.Remove(file.Name()) // Windows refuses; close tries again
	return &spool{file: file, zip: gzip.NewWriter(io.Discard)}, nil
}

// add takes a signal's lines, which are shown, and its row in the list.
func (s *spool) add(lines [3]any, row any) error {
	for _, line := range lines {
		if err := appendJSON(&s.block, line); err != nil {
			return err
		}
	}
	if err := appendJSON(&s.rows, row); err != nil {
		return err
	}
	s.inBlock++
	if s.inBlock == blockSignals || s.block.Len() >= blockBytes {
		if err := s.flushBlock(); err != nil {
			return err
		}
	}
	if s.rows.Len() >= rowsBytes {
		return s.flushRows()
	}
	return nil
}

func (s *spool) flush() error {
	if err := s.flushBlock(); err != nil {
		return err
	}
	return s.flushRows()
}

func (s *spool) flushBlock() error {
	if s.inBlock == 0 {
		return nil
	}
	err := s.pack(fmt.Sprintf(`class="block" data-first="%d"`, s.first), &s.block)
	s.first += s.inBlock
	s.inBlock = 0
	return err
}

func (s *spool) flushRows() error {
	if s.rows.Len() == 0 {
		return nil
	}
	return s.pack(`class="rows"`, &s.rows)
}

func (s *spool) pack(attributes string, data *bytes.Buffer) error {
	n, err := pack(s.file, s.zip, attributes, data.Bytes())
	s.written += n
	if data.Cap() > 4*blockBytes {
		*data = bytes.Buffer{} // do not keep what one outsized event needed
	}
	data.Reset()
	return err
}

// pack writes one script element with data in it.
func pack(w io.Writer, zipped *gzip.Writer, attributes string, data []byte) (int64, error) {
	counted := &counter{to: w}
	fmt.Fprintf(counted, `<script type="text/plain" %s>`, attributes)
	encoded := base64.NewEncoder(base64.StdEncoding, counted)
	zipped.Reset(encoded)
	_, _ = zipped.Write(data) // an error stays in counted
	_ = zipped.Close()
	_ = encoded.Close()
	fmt.Fprint(counted, "</script>\n")
	return counted.n, counted.err
}

// counter counts what is written, and keeps the first error.
type counter struct {
	to  io.Writer
	n   int64
	err error
}

func (c *counter) Write(p []byte) (int, error) {
	if c.err != nil {
		return 0, c.err
	}
	n, err := c.to.Write(p)
	c.n += int64(n)
	c.err = err
	return n, err
}

// copyTo writes everything that was packed.
func (s *spool) copyTo(w io.Writer) error {
	if _, err := s.file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	_, err := io.Copy(w, s.file)
	return err
}

func (s *spool) close() {
	_ = s.file.Close()
	_ = os.Remove(s.file.Name())
}

// appendJSON writes a value on a line of its own.
func appendJSON(b *bytes.Buffer, v any) error {
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false) // the script looks for what is searched in these lines
	return e.Encode(v)
}
