package estest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
)

// bulkSize keeps a request well below the server's limit of 100 MB.
const bulkSize = 5 << 20

// bulkTries is how often documents are sent that a server refuses for a while: one that many tests
// use at once may be full, or take longer for a new field than it allows itself.
const bulkTries = 5

// Bulk indexes documents and makes them searchable; each is JSON as string or []byte, or a value to
// marshal.
func (c *Cluster) Bulk(index string, docs ...any) {
	c.t.Helper()
	b := bulk{c: c, index: index}
	for _, doc := range docs {
		content, err := encode(doc)
		if err != nil {
			c.t.Fatalf("document %v: %v", doc, err)
		}
		b.add(content)
	}
	b.finish()
}

// Load indexes NDJSON, a document a line, makes it searchable and gives the number of documents.
func (c *Cluster) Load(index string, ndjson io.Reader) int {
	c.t.Helper()
	b := bulk{c: c, index: index}
	lines := bufio.NewReader(ndjson)
	for {
		line, err := lines.ReadBytes('\n')
		if doc := bytes.TrimSpace(line); len(doc) > 0 {
			b.add(doc)
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			c.t.Fatalf("read documents for %s: %v", index, err)
		}
	}
	b.finish()
	return b.documents
}

// bulk gathers documents into requests. Its action is create, the only one that a data stream takes
// too.
type bulk struct {
	c         *Cluster
	index     string
	body      bytes.Buffer
	documents int
}

func (b *bulk) add(doc []byte) {
	b.c.t.Helper()
	b.body.WriteString(`{"create":{}}` + "\n")
	if err := json.Compact(&b.body, doc); err != nil { // a line break would end the document
		b.c.t.Fatalf("document %d for %s: %v: %s", b.documents+1, b.index, err, doc)
	}
	b.body.WriteByte('\n')
	b.documents++
	if b.body.Len() > bulkSize {
		b.flush()
	}
}

func (b *bulk) finish() {
	b.c.t.Helper()
	b.flush()
	b.c.Refresh(b.index)
}

func (b *bulk) flush() {
	b.c.t.Helper()
	for try := 1; b.body.Len() > 0; try++ {
		again := b.send(try == bulkTries)
		b.body.Reset()
		b.body.Write(again)
	}
}

// send gives the lines that are to be sent again, none on the last try.
func (b *bulk) send(last bool) (again []byte) {
	b.c.t.Helper()
	answer, err := b.c.send(b.c.t.Context(), http.MethodPost, b.index+"/_bulk",
		"application/x-ndjson", b.body.Bytes())
	if err != nil {
		b.c.t.Fatal(err)
	}
	var items struct {
		Errors bool
		Items  []map[string]struct {
			Status int
			Error  json.RawMessage
		}
	}
	b.c.decode(answer, &items)
	if !items.Errors {
		return nil
	}
	lines := bytes.SplitAfter(b.body.Bytes(), []byte("\n")) // two for each document
	for i, item := range items.Items {
		for _, result := range item {
			switch {
			case result.Error == nil:
			case !last && (result.Status == http.StatusTooManyRequests || result.Status >= 500):
				again = append(append(again, lines[2*i]...), lines[2*i+1]...)
			default:
				b.c.t.Fatalf("document %d of a bulk request to %s: status %d: %s", i+1, b.index,
					result.Status, result.Error)
			}
		}
	}
	return again
}
