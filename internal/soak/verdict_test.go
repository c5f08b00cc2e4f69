package soak

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/elastic/go-elasticsearch/v8"

	"esrule/internal/detect"
	"esrule/internal/elastic/search"
	"esrule/internal/event"
	"esrule/internal/query/match"
	"esrule/internal/query/rule"
	"esrule/internal/sink/signal"
)

// verdict is what a round came to.
type verdict struct {
	events, signals int
	sequences       int
	lost, doubled   int
	withoutEvent    int // signals of events that were too large
	// signals that the signals index refused in full, for a reason that is known
	reduced int
	wrong   []string // each thing that is not as it should be
}

func (v *verdict) say(format string, args ...any) {
	v.wrong = append(v.wrong, fmt.Sprintf(format, args...))
}

// truth is what the matcher finds when it reads every event itself, without pre-filter, window or
// ledger.
type truth struct {
	// identities of matching events, each with one event that has it
	wanted map[signal.ID]string
	of     map[string]signal.ID // by rule, index and document
	// events that are too large for the way, by rule, index and document
	large      map[string]bool
	pairs      pairs
	events     int
	families   families
	indicators map[string]string // the document that has a path
}

func newTruth() *truth {
	return &truth{wanted: map[signal.ID]string{}, of: map[string]signal.ID{},
		large: map[string]bool{}, pairs: pairs{}, families: families{},
		indicators: map[string]string{}}
}

func key(id rule.ID, index, document string) string {
	return string(id) + " " + index + "/" + document
}

// hit is a document as a search gives it.
type hit struct {
	Index  string          `json:"_index"`
	ID     string          `json:"_id"`
	Source json.RawMessage `json:"_source"`
}

// everything reads all documents of a pattern with a scroll, which is not how the program reads.
func (a *admin) everything(ctx context.Context, pattern string, each func(hit) error) error {
	var page struct {
		ScrollID string               `json:"_scroll_id"`
		Shards   struct{ Failed int } `json:"_shards"`
		Hits     struct{ Hits []hit }
	}
	answer, err := a.insist(ctx, http.MethodPost, pattern+
		"/_search?scroll=1m&allow_partial_search_results=false", `{"size": 2000, "sort": ["_doc"]}`)
	for err == nil {
		page.Hits.Hits = nil
		if err = json.Unmarshal(answer, &page); err != nil {
			break
		}
		if page.Shards.Failed > 0 {
			return fmt.Errorf("read everything of %s: %d shards failed", pattern,
				page.Shards.Failed)
		}
		if len(page.Hits.Hits) == 0 {
			break
		}
		for _, h := range page.Hits.Hits {
			if err := each(h); err != nil {
				return err
			}
		}
		answer, err = a.insist(ctx, http.MethodPost, "_search/scroll",
			map[string]string{"scroll": "1m", "scroll_id": page.ScrollID})
	}
	if err != nil {
		return fmt.Errorf("read everything of %s: %w", pattern, err)
	}
	_, err = a.insist(ctx, http.MethodDelete, "_search/scroll",
		map[string]string{"scroll_id": page.ScrollID})
	return err
}

// judge compares the signals with the truth and looks at the ledgers.
func (r *round) judge(ctx context.Context, client *elasticsearch.Client) (*verdict, error) {
	is, was, err := r.readTruth(ctx, client)
	if err != nil {
		return nil, err
	}
	v := &verdict{events: r.events}
	if want := r.events - r.deletedEvents(); is.events != want {
		v.say("the cluster holds %d events, %d were written: the harness or the server lost some",
			is.events, want)
	}
	if err := r.compare(ctx, v, is, was); err != nil {
		return nil, err
	}
	for _, d := range r.detections {
		if err := r.wantWhole(ctx, v, d.Rule.ID); err != nil {
			return nil, err
		}
	}
	for _, i := range r.instances {
		for _, err := range i.wrong {
			v.say("an instance: %v", err)
		}
	}
	return v, nil
}

func (r *round) deletedEvents() int {
	n := 0
	for index, docs := range r.gone {
		if !slices.Contains(r.goners, index) {
			n += len(docs)
		}
	}
	return n
}

// formerly is what indices held that are there no more.
func (r *round) formerly() map[string][]doc {
	all := maps.Clone(r.gone)
	for _, one := range r.replaced {
		all[one.index] = one.docs
	}
	return all
}

// judgeForm wants a signal without its event where that is too large for the way, and a signal in
// full else, unless the signals index took none in full when it was written, or maps a field of the
// event otherwise.
func (v *verdict) judgeForm(of string, large bool, reduced string, h hit) {
	isPointer := strings.HasPrefix(reduced, "without the event")
	refusedInFull := strings.Contains(reduced, "strict_dynamic_mapping_exception") ||
		strings.Contains(reduced, "pipeline")
	mapsOtherwise := strings.Contains(of, "-ev-odd-") &&
		strings.Contains(reduced, "[file.extension]")
	switch {
	case large && isPointer && !bytes.Contains(h.Source, []byte("payload")):
		v.withoutEvent++
	case large:
		v.say("an event is too large for the way, and its signal does not say so: %.2000s",
			h.Source)
	case refusedInFull, mapsOtherwise:
		v.reduced++
	case reduced != "":
		v.say("a signal is reduced: %s", h.Source)
	}
}

// readTruth gives what is to be found in the events that are there, and what may have been found in
// those that were.
func (r *round) readTruth(ctx context.Context,
	client *elasticsearch.Client) (is, was *truth, err error) {
	is, was = newTruth(), newTruth()
	var judges []judge
	for _, d := range r.detections {
		if !isOfOneEvent(d.Rule.ID) {
			continue // its truth is that of the pairs, or of the families
		}
		j, err := newJudge(ctx, client, d, r.patterns())
		if err != nil {
			return nil, nil, err
		}
		judges = append(judges, j)
	}
	err = r.admin.everything(ctx, r.pattern(), func(h hit) error {
		is.events++
		is.pairs.add(h)
		if err := is.families.add(h); err != nil {
			return err
		}
		for _, j := range judges {
			if err := j.judge(is, h, h.Index); err != nil {
				return err
			}
		}
		return nil
	})
	err = errors.Join(err, r.admin.everything(ctx, r.index("ti"), is.addIndicator))
	for index, docs := range r.formerly() {
		for _, d := range docs {
			was.pairs.add(hit{Index: index, ID: d.id, Source: d.text})
			for _, j := range judges { // its mapping was this other index's
				if err := j.judge(was, hit{Index: index, ID: d.id, Source: d.text},
					r.index("ev-first")); err != nil {
					return nil, nil, err
				}
			}
		}
	}
	return is, was, err
}

// judge finds a rule's matches among events of any index.
type judge struct {
	detection *detect.Detection
	event     *match.Evaluation
	mappings  map[string]*event.Mapping
}

func newJudge(ctx context.Context, client *elasticsearch.Client, d *detect.Detection,
	patterns []string) (judge, error) {
	j := judge{detection: d, event: match.NewEvaluation(d.Fields, time.Now()),
		mappings: map[string]*event.Mapping{}}
	classes, err := search.NewCluster(client, search.Options{}).Mappings(ctx, patterns, d.Mapped())
	for _, class := range classes {
		for _, index := range class.Indices {
			j.mappings[index] = class.Mapping
		}
	}
	return j, err
}

func (j judge) judge(into *truth, h hit, mapped string) error {
	m, ok := j.mappings[mapped]
	if !ok {
		return fmt.Errorf("index %s is in no class of mappings", mapped)
	}
	if err := j.event.Read(m, event.Document{Source: h.Source}); err != nil {
		return err
	}
	if !j.detection.Matchers[0].Match(j.event) {
		return nil
	}
	id := j.detection.Rule.ID
	signal, err := signal.Identify(id, signal.Event{Source: h.Source})
	if err != nil {
		return err
	}
	into.wanted[signal] = key(id, h.Index, h.ID)
	into.of[key(id, h.Index, h.ID)] = signal
	into.large[key(id, h.Index, h.ID)] = len(h.Source) > bodyLimit
	return nil
}

// compare wants one signal for each identity among the events, and none without an event.
func (r *round) compare(ctx context.Context, v *verdict, is, was *truth) error {
	missing := maps.Clone(is.wanted)
	times := map[string]int{} // signals by event
	joined, ofFamilies := map[string]bool{}, map[string]hit{}
	err := r.admin.everything(ctx, r.index("signals"), func(h hit) error {
		v.signals++
		var s struct {
			Rule      rule.ID                      `json:"kibana.alert.rule.rule_id"`
			Ancestors []struct{ ID, Index string } `json:"kibana.alert.ancestors"`
			Reduced   string                       `json:"kibana.alert.esrule.reduced"`
		}
		err := json.Unmarshal(h.Source, &s)
		// Absence is decided minutes later: a backfill of that time need not wait.
		if !r.found[h.ID] && s.Rule != byAbsence {
			v.say("only a backfill found it: %s", h.Source)
		}
		if err == nil && s.Rule == bySequence {
			joined[h.ID] = true
			return nil
		}
		if err == nil && isOfFamilies(s.Rule) {
			ofFamilies[h.ID] = h
			return nil
		}
		if err != nil || len(s.Ancestors) != 1 {
			return fmt.Errorf("signal %s names no event: %w: %s", h.ID, err, h.Source)
		}
		of := key(s.Rule, s.Ancestors[0].Index, s.Ancestors[0].ID)
		id, there := is.of[of]
		if !there {
			id, there = was.of[of]
		}
		switch {
		case !there:
			v.say("a signal for an event that does not match: %s", of)
		case string(id) != h.ID:
			v.say("signal %s is for %s, whose identity is %s", h.ID, of, id)
		}
		v.judgeForm(of, is.large[of] || was.large[of], s.Reduced, h)
		if times[of]++; times[of] > 1 {
			v.doubled++
			v.say("doubled: %s", of)
		}
		delete(missing, signal.ID(h.ID))
		return nil
	})
	if err := r.comparePairs(v, is, was, joined); err != nil {
		return err
	}
	if err := r.compareFamilies(v, is, ofFamilies); err != nil {
		return err
	}
	v.lost += len(missing)
	for _, of := range slices.Sorted(maps.Values(missing)) {
		v.say("lost: %s", of)
	}
	if len(is.wanted) < r.events/50 {
		v.say("only %d of %d events match: the round shows nothing", len(is.wanted), r.events)
	}
	if err != nil {
		return err
	}
	return r.admin.everything(ctx, r.index("dead-letter"), func(h hit) error {
		v.say("a dead letter: %s", h.Source)
		return nil
	})
}

// wantWhole wants a ledger without a gap, from before the first event to the last run.
func (r *round) wantWhole(ctx context.Context, v *verdict, id rule.ID) error {
	l, err := r.ledger(ctx, id)
	if err != nil {
		return err
	}
	until := r.started
	if id == byAbsence { // what happened then is decided later
		until = until.Add(-absenceWithin)
	}
	if len(l.Covered) != 1 || len(l.Gaps(l.Covered.End())) > 0 || len(l.Open) > 0 ||
		len(l.Sick) > 0 ||
		l.Covered[0].From.After(r.started.Add(-r.plan.size.lookBack)) ||
		l.Covered.End().Before(until) {
		text, _ := json.MarshalIndent(l, "", " ")
		v.say("the ledger has a gap: %s", text)
	}
	return nil
}
