package sink

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"esrule/internal/elastic"
	"esrule/internal/sink/indices"
	"esrule/internal/sink/signal"
)

// entry is one thing to create in an index.
type entry struct {
	id   signal.ID
	body []byte // without a newline
}

// reply is what the cluster said of one document.
type reply struct {
	outcome outcome
	err     *serverError // of all but created and duplicate
}

// settled reports whether the cluster took the document, or judged it.
func (v reply) settled() bool { return v.taken() || v.refused() }

// taken reports whether the document is in the index.
func (v reply) taken() bool { return v.outcome == created || v.outcome == duplicate }

// refused reports whether the document was refused, and another form of it may be taken.
func (v reply) refused() bool { return v.outcome == refused || v.outcome == oversized }

type outcome uint8

const (
	unsettled outcome = iota // not acknowledged yet: to be tried again
	created
	duplicate
	refused   // for what it holds: another form of it may be taken
	oversized // for its size: a smaller form of it may be taken
	barred    // for the index's state or the user's rights, whatever it holds
)

// judge sorts an item's status. Only an error about the document itself may count as refused: it
// decides whether the signal is reduced.
func judge(status int, err *serverError) outcome {
	switch {
	case status == http.StatusCreated:
		return created
	case status < 300:
		// A pipeline that drops documents makes Elasticsearch answer 200 with nothing written.
		err.typ = notCreated
		return barred
	case status == http.StatusConflict:
		return duplicate
	case status == http.StatusRequestEntityTooLarge:
		return oversized
	case err.passing():
		return unsettled
	case err.typ == blocked, status == http.StatusUnauthorized, status == http.StatusForbidden,
		status == http.StatusNotFound,
		err.typ == "index_closed_exception": // Elasticsearch says 400 for it
		return barred
	default:
		return refused
	}
}

// notCreated is a type of error of our own: status 200, and nothing written.
const notCreated = "not_created"

// blocked is Elasticsearch's name for an index that takes no writes, by a setting or for a full
// disk. It says 429 for the disk, though no pause helps, only freed space.
const blocked = "cluster_block_exception"

// passing reports whether the answer may be another one a little later.
func (e *serverError) passing() bool {
	if e.typ == blocked && e.status == http.StatusTooManyRequests {
		return false
	}
	return e.status == http.StatusTooManyRequests || e.status == http.StatusRequestTimeout ||
		e.status >= 500
}

// bulkAnswer is the part of a bulk response that is asked for.
type bulkAnswer struct {
	Items []map[string]bulkItem `json:"items"`

	sent []entry
}

// Check also holds the answer against what was sent: an item for each document, in their order.
func (a *bulkAnswer) Check() error {
	if a.Items == nil {
		return elastic.Lacks("items")
	}
	for _, answered := range a.Items {
		if err := checkItem(answered); err != nil {
			return err
		}
	}
	if len(a.Items) != len(a.sent) {
		return elastic.Contradicts("%d documents were sent, and it answers for %d", len(a.sent),
			len(a.Items))
	}
	for i, answered := range a.Items {
		item := answered["create"]
		switch {
		case len(answered) > 1:
			return elastic.Contradicts("item %d is about several actions", i+1)
		case item.ID != a.sent[i].id:
			return elastic.Contradicts("item %d is about another document than the one sent", i+1)
		case item.Status == http.StatusCreated && (item.Result != "created" || item.Error != nil):
			return elastic.Contradicts("item %d has status 201, result %q and the error %v",
				i+1, item.Result, item.Error)
		case item.Status == http.StatusConflict && item.Error.typ != versionConflict:
			return elastic.Contradicts("item %d has status 409 and the error %v", i+1, item.Error)
		}
	}
	return nil
}

func checkItem(answered map[string]bulkItem) error {
	switch item, ok := answered["create"]; {
	case !ok:
		return elastic.Lacks("create in each item")
	case item.Status == 0:
		return elastic.Lacks("status of an item")
	case item.ID == "":
		return elastic.Lacks("_id of an item")
	case item.Index == "":
		return elastic.Lacks("_index of an item")
	case item.Status >= http.StatusMultipleChoices && item.Error == nil:
		return elastic.Lacks("error of a refused item")
	case item.Status == http.StatusCreated && item.Result == "":
		return elastic.Lacks("result of a created item")
	}
	return nil
}

// versionConflict is Elasticsearch's name for a document that is there already.
const versionConflict = "version_conflict_engine_exception"

type bulkItem struct {
	Index  string       `json:"_index"`
	ID     signal.ID    `json:"_id"`
	Status int          `json:"status"`
	Result string       `json:"result"` // where it was written
	Error  *serverError `json:"error"`
}

// bulk sends one request and returns a reply to each document, in their order. Its error is about
// the request as a whole.
func bulk(ctx context.Context, client elastic.Transport, index string,
	docs []entry) ([]reply, error) {
	r := elastic.Request{
		Method: http.MethodPost, Path: indexPath(index, "/_bulk"), Body: bulkBody(docs),
		Params: url.Values{"filter_path": {
			"items.*._index,items.*._id,items.*.status,items.*.result,items.*.error"}},
	}
	answer, err := ask(ctx, client, r)
	_, refused := errors.AsType[*serverError](err)
	if err != nil && !refused && !isUntrue(err) {
		return nil, &unansweredError{err}
	}
	got := bulkAnswer{sent: docs}
	if err == nil {
		err = answer.Read(&got)
	}
	if err != nil {
		return nil, err
	}
	replies := make([]reply, len(docs))
	for i, answered := range got.Items {
		item := answered["create"]
		if item.Error == nil {
			item.Error = &serverError{}
		}
		item.Error.status = item.Status
		replies[i] = reply{judge(item.Status, item.Error), item.Error}
		if replies[i].taken() && item.Index != index {
			return nil, &indices.NotConcreteError{Name: index, Kind: "an alias",
				For: []string{item.Index}}
		}
	}
	return replies, nil
}

func bulkBody(docs []entry) []byte {
	size := 0
	for _, d := range docs {
		size += d.size()
	}
	body := make([]byte, 0, size)
	for _, d := range docs {
		body = append(body, actionStart...)
		body = append(body, d.id...)
		body = append(body, actionEnd...)
		body = append(body, d.body...)
		body = append(body, '\n')
	}
	return body
}

// An id is hexadecimal, so it needs no escaping.
const (
	actionStart = `{"create":{"_id":"`
	actionEnd   = "\"}}\n"
)

func (d entry) size() int { return len(actionStart) + len(d.id) + len(actionEnd) + len(d.body) + 1 }

// batches cuts documents into requests. One that is larger than a request may be travels alone.
func batches(docs []entry, maxItems, maxBytes int) [][]entry {
	var cut [][]entry
	for len(docs) > 0 {
		n, size := 1, docs[0].size()
		for n < len(docs) && n < maxItems && size+docs[n].size() <= maxBytes {
			size += docs[n].size()
			n++
		}
		cut = append(cut, docs[:n])
		docs = docs[n:]
	}
	return cut
}
