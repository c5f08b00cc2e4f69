package sink

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"esrule/internal/elastic"
)

// entry is one thing to create in an index.
type entry struct {
	id   SignalID
	body []byte // without a newline
}

// verdict is what the cluster said of one document.
type verdict struct {
	outcome outcome
	err     *serverError // of all but created and duplicate
}

// settled reports whether the cluster took the document, or judged it.
func (v verdict) settled() bool { return v.taken() || v.refused() }

// taken reports whether the document is in the index.
func (v verdict) taken() bool { return v.outcome == created || v.outcome == duplicate }

// refused reports whether the document was refused, and another form of it may be taken.
func (v verdict) refused() bool { return v.outcome == refused || v.outcome == oversized }

type outcome uint8

const (
	unsettled outcome = iota // not acknowledged yet: to be tried again
	created
	duplicate
	refused   // for what it holds: another form of it may be taken
	oversized // for its size: a smaller form of it may be taken
	barred    // for the index's state or the user's rights, whatever it holds
)

// judge places an item's status. What is said of a 4xx decides whether a signal is reduced, so that only complaints
// about the document itself may count as refused.
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
	case err.typ == blocked, status == http.StatusUnauthorized, status == http.StatusForbidden, status == http.StatusNotFound,
		err.typ == "index_closed_exception": // Elasticsearch says 400 for it
		return barred
	default:
		return refused
	}
}

const notCreated = "not_created" // as a type among Elasticsearch's

// blocked is Elasticsearch's name for an index that somebody, or a full disk, has closed to writes. It says 429 for
// the disk, and yet only freed space helps, which no pause of ours brings about.
const blocked = "cluster_block_exception"

// passing says whether the answer may be another one a little later.
func (e *serverError) passing() bool {
	if e.typ == blocked && e.status == http.StatusTooManyRequests {
		return false
	}
	return e.status == http.StatusTooManyRequests || e.status == http.StatusRequestTimeout || e.status >= 500
}

// bulkAnswer is the part of a bulk response that is asked for.
type bulkAnswer struct {
	Items []map[string]bulkItem `json:"items"`
}

func (a *bulkAnswer) Missing() string {
	if a.Items == nil {
		return "items"
	}
	for _, answered := range a.Items {
		switch item, ok := answered["create"]; {
		case !ok:
			return "create in each item"
		case item.Status == 0:
			return "status of an item"
		case item.ID == "":
			return "_id of an item"
		case item.Index == "":
			return "_index of an item"
		case item.Status >= http.StatusMultipleChoices && item.Error == nil:
			return "error of a refused item"
		}
	}
	return ""
}

type bulkItem struct {
	Index  string       `json:"_index"`
	ID     SignalID     `json:"_id"`
	Status int          `json:"status"`
	Error  *serverError `json:"error"`
}

// bulk sends one request and gives a verdict on each document, in their order. Its error is about the request as a whole.
func bulk(ctx context.Context, client elastic.Transport, index string, docs []entry) ([]verdict, error) {
	r := elastic.Request{
		Method: http.MethodPost, Path: indexPath(index, "/_bulk"), Body: bulkBody(docs),
		Params: url.Values{"filter_path": {"items.*._index,items.*._id,items.*.status,items.*.error"}},
	}
	answer, err := ask(ctx, client, r)
	if _, refused := errors.AsType[*serverError](err); err != nil && !refused {
		return nil, &unansweredError{err}
	}
	if err != nil {
		return nil, err
	}
	var got bulkAnswer
	if err := answer.Read(&got); err != nil {
		return nil, err
	}
	if len(got.Items) != len(docs) {
		return nil, fmt.Errorf("%d documents sent, %d answered for", len(docs), len(got.Items))
	}
	verdicts := make([]verdict, len(docs))
	for i, answered := range got.Items {
		item := answered["create"]
		if item.ID != docs[i].id {
			return nil, fmt.Errorf("document %d of %d: the answer is about another one", i+1, len(docs))
		}
		if item.Error == nil {
			item.Error = &serverError{}
		}
		item.Error.status = item.Status
		verdicts[i] = verdict{judge(item.Status, item.Error), item.Error}
		if verdicts[i].taken() && item.Index != index {
			return nil, &NotConcreteError{Name: index, Kind: "an alias", For: []string{item.Index}}
		}
	}
	return verdicts, nil
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
