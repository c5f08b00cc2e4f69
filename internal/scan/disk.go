package scan

import (
	"fmt"
	"os"
)

// disk holds texts in a temporary file, which is made for the first of them. What was written can
// be read by several at once.
type disk struct {
	file *os.File // nil while there is none
	size int64
}

// onDisk is where a text is.
type onDisk struct {
	from   int64
	length int
}

// write adds a text.
func (d *disk) write(text []byte) (at onDisk, err error) {
	if d.file == nil {
		if d.file, err = os.CreateTemp("", "esrule-scan-*"); err != nil {
			return at, err
		}
	}
	if _, err := d.file.Write(text); err != nil {
		return at, err
	}
	at = onDisk{d.size, len(text)}
	d.size += int64(len(text))
	return at, nil
}

// read reads a text back.
func (d *disk) read(at onDisk) ([]byte, error) {
	text := make([]byte, at.length)
	if _, err := d.file.ReadAt(text, at.from); err != nil {
		return nil, fmt.Errorf("read back what is held on disk: %w", err)
	}
	return text, nil
}

// close removes the file.
func (d *disk) close() {
	if d.file != nil {
		_ = d.file.Close()
		_ = os.Remove(d.file.Name())
	}
}
