package state

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"esrule/internal/elastic"
)

// Change is a document that is to be written in the place of a version.
type Change struct {
	ID       string
	Document any
	Version  Version
}

// Written is what became of a [Change].
type Written struct {
	Version Version // that the document has now; of one that was not written, the one it was given
	// Done is false, and nothing is changed, where another instance was faster, or with Err.
	Done bool
	// Err is the cluster's refusal of this document, an [*elastic.Error].
	Err error
}

// mostBytes is how much one request of PutAll holds, but for one document that is larger:
// Elasticsearch takes 100 MB by default, and a proxy before it often less.
const mostBytes = 5 << 20

// PutAll is [Store.Put] for many documents, in as few requests as their size allows: one that is
// too large for the way is sent in halves. It returns what became of each, in their order, up to
// the request that failed as a whole; the error is that request's.
func (s *Store) PutAll(ctx context.Context, changes []Change) ([]Written, error) {
	lines := make([][]byte, len(changes))
	for i, c := range changes {
		var err error
		if lines[i], err = c.lines(); err != nil {
			return nil, fmt.Errorf("write %s: %w", s.place(c.ID), err)
		}
	}
	var all []Written
	for first := 0; first < len(changes); {
		end, size := first+1, len(lines[first])
		for end < len(changes) && size+len(lines[end]) <= mostBytes {
			size += len(lines[end])
			end++
		}
		written, err := s.putHalves(ctx, changes[first:end], lines[first:end])
		all = append(all, written...)
		if err != nil {
			return all, fmt.Errorf("write %d documents of %s: %w", end-first, s.index, err)
		}
		first = end
	}
	return all, nil
}

// putHalves writes documents by one request, and by two where that is too large. One document that
// is too large by itself is refused.
func (s *Store) putHalves(ctx context.Context, changes []Change, lines [][]byte) ([]Written,
	error) {
	written, err := s.putSome(ctx, changes, bytes.Join(lines, nil))
	refused, ok := errors.AsType[*elastic.Error](err)
	if !ok || refused.Status != http.StatusRequestEntityTooLarge {
		return written, err
	}
	if len(changes) == 1 {
		return []Written{{Version: changes[0].Version, Err: refused}}, nil
	}
	half := len(changes) / 2
	if written, err = s.putHalves(ctx, changes[:half], lines[:half]); err != nil {
		return written, err
	}
	more, err := s.putHalves(ctx, changes[half:], lines[half:])
	return append(written, more...), err
}

// action is the first line of a change in a bulk request.
type action struct {
	ID          string `json:"_id"`
	SeqNo       *int   `json:"if_seq_no,omitempty"`
	PrimaryTerm *int   `json:"if_primary_term,omitempty"`
}

func (c Change) lines() ([]byte, error) {
	line := action{ID: c.ID}
	if c.Version.exists {
		line.SeqNo, line.PrimaryTerm = &c.Version.seqNo, &c.Version.primaryTerm
	}
	head, err := json.Marshal(map[string]action{c.verb(): line})
	if err != nil {
		return nil, err
	}
	document, err := json.Marshal(c.Document)
	if err != nil {
		return nil, err
	}
	return fmt.Appendf(nil, "%s\n%s\n", head, document), nil
}

func (c Change) verb() string {
	if c.Version.exists {
		return "index"
	}
	return "create"
}

func (s *Store) putSome(ctx context.Context, changes []Change, body []byte) ([]Written, error) {
	answer := bulkAnswer{sent: changes}
	r := elastic.Request{Method: http.MethodPost, Path: s.path("_bulk"), Body: body}
	if err := s.send(ctx, r, nil, &answer); err != nil {
		return nil, err
	}
	all := make([]Written, len(changes))
	for i, answered := range answer.Items {
		item := answered[changes[i].verb()]
		switch {
		case item.Status/100 == 2:
			all[i] = Written{Version: Version{*item.SeqNo, *item.PrimaryTerm, true}, Done: true}
		case item.Status == http.StatusConflict:
			all[i].Version = changes[i].Version
		default:
			all[i] = Written{Version: changes[i].Version, Err: item.refusal()}
		}
	}
	return all, nil
}

// bulkAnswer is the answer to a bulk request: an item a document, in their order.
type bulkAnswer struct {
	Items []map[string]bulkItem `json:"items"`

	sent []Change
}

type bulkItem struct {
	written
	Status int `json:"status"`
	Error  *struct {
		Type   string `json:"type"`
		Reason string `json:"reason"`
	} `json:"error"`
}

func (i bulkItem) refusal() error {
	refused := &elastic.Error{Status: i.Status, Genuine: true}
	if i.Error != nil {
		refused.Type, refused.Reason = i.Error.Type, i.Error.Reason
	}
	return refused
}

func (a *bulkAnswer) Check() error {
	if len(a.Items) != len(a.sent) {
		return elastic.Lacks(fmt.Sprintf("items for each of %d documents", len(a.sent)))
	}
	for i, c := range a.sent {
		item, ok := a.Items[i][c.verb()]
		switch {
		case !ok:
			return elastic.Lacks("items." + c.verb())
		case item.Status == 0:
			return elastic.Lacks("items." + c.verb() + ".status")
		case item.Status/100 == 2 && item.Error != nil:
			return elastic.Contradicts("document %q has the status %d and an error", c.ID,
				item.Status)
		case item.Status/100 != 2:
			if err := another(item.ID, c.ID); err != nil {
				return err
			}
			continue
		}
		item.asked, item.as = c.ID, "created"
		if c.Version.exists {
			item.as = "updated"
		}
		if err := item.Check(); err != nil {
			return err
		}
	}
	return nil
}
