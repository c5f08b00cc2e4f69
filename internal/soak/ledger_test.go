package soak

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"esrule/internal/query/rule"
	rules "esrule/internal/schedule"
)

func (r *round) ledgerPath(id rule.ID) string {
	return r.index("state") + "/_doc/ledger-" + string(id)
}

func (r *round) ledger(ctx context.Context, id rule.ID) (*rules.Ledger, error) {
	answer, err := r.admin.insist(ctx, http.MethodGet, r.ledgerPath(id), nil)
	if err != nil {
		return nil, err
	}
	var document struct {
		Source rules.Ledger `json:"_source"`
	}
	return &document.Source, json.Unmarshal(answer, &document)
}

// hourPasses makes the next late sweep of every rule due now. Nobody waits an hour for it here. The
// ledger is changed as an instance changes it, so that none of theirs is lost.
func (r *round) hourPasses(ctx context.Context) error {
	for _, d := range r.detections {
		if err := r.sweepNow(ctx, d.Rule.ID); err != nil {
			return fmt.Errorf("make a late sweep due: %w", err)
		}
	}
	return nil
}

func (r *round) sweepNow(ctx context.Context, id rule.ID) error {
	for {
		answer, err := r.admin.do(ctx, http.MethodGet, r.ledgerPath(id), nil)
		missing := (*refused)(nil)
		if errors.As(err, &missing) && missing.status == http.StatusNotFound {
			return nil // before the first run
		}
		var document struct {
			SeqNo       int            `json:"_seq_no"`
			PrimaryTerm int            `json:"_primary_term"`
			Source      map[string]any `json:"_source"`
		}
		if err == nil {
			numbers := json.NewDecoder(bytes.NewReader(answer))
			// a large one would come back in a form that is none for a whole number
			numbers.UseNumber()
			err = numbers.Decode(&document)
		}
		if sweep, ok := document.Source["sweep"].(map[string]any); ok {
			sweep["due"] = time.Now().UTC().Format(time.RFC3339Nano)
			path := fmt.Sprintf("%s?if_seq_no=%d&if_primary_term=%d", r.ledgerPath(id),
				document.SeqNo, document.PrimaryTerm)
			if _, err = r.admin.do(ctx, http.MethodPut, path, document.Source); err == nil {
				return nil
			}
		}
		if ctx.Err() != nil {
			return errors.Join(ctx.Err(), err)
		}
		pause(ctx, 50*ms) // another one changed it, or a fault holds
	}
}

// progress tells how much of the look back was covered while everything failed: what was covered
// later shows less.
func (r *round) progress(ctx context.Context) string {
	var parts []string
	for _, d := range r.detections {
		answer, err := r.admin.do(ctx, http.MethodGet, r.ledgerPath(d.Rule.ID), nil)
		var document struct {
			Source rules.Ledger `json:"_source"`
		}
		if l := &document.Source; err == nil && json.Unmarshal(answer, &document) == nil {
			wanted := l.Gaps(time.Now()).Length() + l.Covered.Length()
			parts = append(parts,
				fmt.Sprintf("%.0f %%, %d indices open",
					100*l.Covered.Length().Seconds()/wanted.Seconds(), len(l.Open)))
		}
	}
	return strings.Join(parts, "; ")
}
