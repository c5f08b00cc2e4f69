package elastic

import (
	"bytes"
	"io"
	"net/http"
)

// unrepeated gives a refusal for a block the status that Elasticsearch has for blocks in general,
// 403. It says 429 where a full disk blocks an index, and a client that repeats what is answered so
// waits for something that an operator has to do: with eleven rules, for four minutes a run.
func unrepeated(res *http.Response) error {
	if res.StatusCode != http.StatusTooManyRequests {
		return nil
	}
	text, err := io.ReadAll(io.LimitReader(res.Body, maxErrorBytes))
	if err != nil {
		return err
	}
	rest := res.Body
	res.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(text), rest), rest}
	if newError(res.StatusCode, text).Type == ClusterBlock {
		res.StatusCode = http.StatusForbidden
		res.Status = "403 Forbidden"
	}
	return nil
}
