package scan

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"unicode/utf16"
	"unicode/utf8"
)

const byteOrderMark = "\xef\xbb\xbf"

// opened returns the lines of an input, one JSON document each: unpacked where it is gzip, in
// UTF-8, and split where documents are not one a line. All is told by the first bytes, not by the
// name, so that it works for standard input too.
func opened(r io.Reader) (io.Reader, error) {
	buffered := bufio.NewReaderSize(r, 64<<10)
	first, err := buffered.Peek(6)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if bytes.HasPrefix(first, []byte("\x1f\x8b")) {
		unpacked, err := gzip.NewReader(buffered)
		if err != nil {
			return nil, fmt.Errorf("unpack gzip: %w", err)
		}
		buffered = bufio.NewReaderSize(unpacked, 64<<10)
		// What cannot be unpacked is said when it is read: lines before it are judged.
		first, _ = buffered.Peek(6)
	}
	if name, with := packing(first); name != "" {
		return nil, fmt.Errorf("it is %s, which scan does not unpack: unpack it first (%s)", name,
			with)
	}
	if order := utf16Order(first); order != nil {
		buffered = bufio.NewReaderSize(&utf16Reader{from: buffered, unit: order}, 64<<10)
	}
	if mark, _ := buffered.Peek(3); string(mark) == byteOrderMark {
		_, _ = buffered.Discard(3)
	}
	if start, _ := buffered.Peek(4 << 10); isNotLines(start) {
		return &splitter{from: buffered}, nil
	}
	return buffered, nil
}

// packing names a way of packing that is not read, and a command that unpacks it.
func packing(first []byte) (name, with string) {
	for _, p := range []struct{ magic, name, with string }{
		{"PK\x03\x04", "a zip archive", "unzip -p FILE | esrule scan -"},
		{"\x28\xb5\x2f\xfd", "zstd", "zstd -dc FILE | esrule scan -"},
		{"BZh", "bzip2", "bzip2 -dc FILE | esrule scan -"},
		{"\xfd7zXZ\x00", "xz", "xz -dc FILE | esrule scan -"},
		{"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", "7z x -so FILE | esrule scan -"},
	} {
		if bytes.HasPrefix(first, []byte(p.magic)) {
			return p.name, p.with
		}
	}
	return "", ""
}

// utf16Order returns how two bytes make a unit where a text begins as UTF-16: with its mark, or
// with a character that JSON can begin with. It is nil for UTF-8.
func utf16Order(first []byte) func([]byte) uint16 {
	little := func(b []byte) uint16 { return uint16(b[0]) | uint16(b[1])<<8 }
	big := func(b []byte) uint16 { return uint16(b[1]) | uint16(b[0])<<8 }
	if len(first) < 2 {
		return nil
	}
	begins := func(c, zero byte) bool {
		return zero == 0 && bytes.IndexByte([]byte("{[ \t\r\n"), c) >= 0
	}
	switch {
	case bytes.HasPrefix(first, []byte("\xff\xfe")), begins(first[0], first[1]):
		return little
	case bytes.HasPrefix(first, []byte("\xfe\xff")), begins(first[1], first[0]):
		return big
	}
	return nil
}

// utf16Reader gives a text of UTF-16 as UTF-8.
type utf16Reader struct {
	from *bufio.Reader
	unit func([]byte) uint16
	high rune // the first half of a pair whose second is to come; 0 is none
	out  []byte
	err  error
}

func (r *utf16Reader) Read(p []byte) (int, error) {
	if len(r.out) == 0 && r.err == nil {
		r.fill()
	}
	if len(r.out) == 0 {
		return 0, r.err
	}
	n := copy(p, r.out)
	r.out = r.out[:copy(r.out, r.out[n:])]
	return n, nil
}

func (r *utf16Reader) fill() {
	var raw [4 << 10]byte
	n, err := io.ReadFull(r.from, raw[:])
	for i := 0; i+1 < n; i += 2 {
		r.put(rune(r.unit(raw[i:])))
	}
	if err == nil {
		return
	}
	if r.high != 0 {
		r.out = utf8.AppendRune(r.out, utf8.RuneError)
	}
	switch r.err = io.EOF; {
	case n%2 != 0:
		r.err = errors.New("a UTF-16 text ends within a character")
	case !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF):
		r.err = err
	}
}

func (r *utf16Reader) put(c rune) {
	if r.high != 0 {
		both := utf16.DecodeRune(r.high, c)
		r.high = 0
		r.out = utf8.AppendRune(r.out, both) // a half alone is U+FFFD
		if both != utf8.RuneError {
			return
		}
	}
	if utf16.IsSurrogate(c) && c < 0xdc00 {
		r.high = c
		return
	}
	r.out = utf8.AppendRune(r.out, c)
}
