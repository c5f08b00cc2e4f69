package report

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"esrule/internal/query/rule"
)

//go:embed page/page.html page/page.css page/page.js
var files embed.FS

// page is what the template shows.
type page struct {
	Policy    string
	Style     template.CSS
	Script    template.JS
	Title     string
	Command   string
	Version   string
	Generated string
	Span      string // the time that was asked for
	Signals   int
	Unlisted  int
	Unread    int
	Broken    []string
	Stats     []stat
	Gaps      []part
	Covered   []part
	Columns   columns
	Rules     []*ruleTally
	Notes     []string
	Timeline  timelineView
	Facets    []facetView
	Opening   []firstSignal
	index     index
}

type stat struct{ Label, Value string }

// part is a row of what was searched, or of what was not.
type part struct{ What, Rule, Time, Events, Judged, Reason string }

// columns says which columns have anything in them.
type columns struct{ Rule, Time, Events, Judged bool }

type timelineView struct {
	Bars        []bar
	Most        int
	First, Last string
	Step        string
	Untimed     int
	Legend      []string
	Summary     string
}

// facetView is one way of counting with its largest names.
type facetView struct {
	ID, Title string
	Total     int
	Names     []count
	None      int
	NoneText  string
}

// index is what the script needs to read the rows: the names behind the numbers.
type index struct {
	Rules      []indexRule `json:"rules"`
	Hosts      []string    `json:"hosts"`
	Users      []string    `json:"users"`
	Processes  []string    `json:"processes"`
	Techniques []string    `json:"techniques"`
	Severities []string    `json:"severities"`
	Bars       [][2]int64  `json:"bars"`
}

type indexRule struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	Description string `json:"description"`
	Query       string `json:"query"`
	Techniques  []int  `json:"techniques"`
}

// largest is how many names of a facet stand on the page without a script.
const largest = 8

// page puts together what was counted and what the caller says.
func (w *Writer) page(r Report) page {
	style, script := text("page.css"), text("page.js")
	p := page{
		Policy: policy(style, script), Style: template.CSS(style), Script: template.JS(script),
		Command: r.Command, Version: visible(r.Version), Generated: minutes(r.Generated),
		Span:    period(r.From, r.To),
		Signals: w.signals, Unlisted: w.signals - w.unread - w.listed, Unread: w.unread,
		Broken: w.broken,
		Rules:  w.inOrder, Notes: visibleAll(r.Notes), Timeline: w.timelineView(),
		Opening: w.start.signals,
	}
	p.Title = fmt.Sprintf("esrule %s: %s", r.Command, counted(w.signals, "signal"))
	p.Gaps = w.gaps(r)
	p.Covered, p.Columns = w.covered(r.Covered)
	p.Stats = w.stats(r)
	p.Facets = w.facets()
	p.index = w.index(p.Timeline.Bars)
	return p
}

// text is a file of the page, with the line ends that its hash is made of.
func text(name string) string {
	b, err := files.ReadFile("page/" + name)
	if err != nil {
		panic(err) // the file is part of the program
	}
	return strings.ReplaceAll(string(b), "\r\n", "\n")
}

// policy forbids everything but the page's own style and script, known by their hashes.
func policy(style, script string) string {
	hash := func(s string) string {
		sum := sha256.Sum256([]byte(s))
		return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	}
	return "default-src 'none'; style-src " + hash(style) + "; script-src " + hash(script) +
		"; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; " +
		"trusted-types 'none'"
}

// write writes the page: the head, the data of the signals, the script.
func (p page) write(to io.Writer, data func(io.Writer) error) error {
	t, err := template.New("page").Funcs(template.FuncMap{"number": number[int],
		"join": strings.Join}).Parse(text("page.html"))
	if err != nil {
		return err
	}
	if err := t.ExecuteTemplate(to, "head", p); err != nil {
		return err
	}
	var names bytes.Buffer
	if err := appendJSON(&names, p.index); err != nil {
		return err
	}
	if _, err := pack(to, gzip.NewWriter(to), `id="index"`, names.Bytes()); err != nil {
		return err
	}
	if err := data(to); err != nil {
		return err
	}
	return t.ExecuteTemplate(to, "tail", p)
}

func (w *Writer) gaps(r Report) []part {
	var rows []part
	for _, g := range r.NotCovered {
		rows = append(rows, part{What: visible(g.What), Rule: w.ruleName(g.Rule),
			Time: period(g.From, g.To), Reason: visible(g.Reason)})
	}
	for _, s := range r.Skipped {
		name := s.Name
		if name == "" {
			name = string(s.ID)
		}
		rows = append(rows, part{What: "everything", Rule: visible(name),
			Reason: "The rule did not run (" + visible(s.Kind) + "): " + visible(s.Reason)})
	}
	return rows
}

func (w *Writer) covered(all []Coverage) (rows []part, c columns) {
	for _, one := range all {
		row := part{What: visible(one.What), Rule: w.ruleName(one.Rule),
			Time: period(one.From, one.To), Events: "unknown"}
		if one.Events >= 0 {
			row.Events = number(one.Events)
			c.Events = true
		}
		row.Judged = number(one.Judged)
		c.Rule = c.Rule || row.Rule != ""
		c.Time = c.Time || row.Time != ""
		c.Judged = c.Judged || one.Judged != one.Events
		rows = append(rows, row)
	}
	return rows, c
}

func (w *Writer) ruleName(id rule.ID) string {
	if r := w.rules[id]; r != nil && r.Name != "" {
		return visible(r.Name)
	}
	return visible(string(id))
}

func (w *Writer) stats(r Report) []stat {
	fired := 0
	for _, one := range w.inOrder {
		if one.Signals > 0 {
			fired++
		}
	}
	var judged int64
	for _, c := range r.Covered {
		judged += c.Judged
	}
	return []stat{
		{"signals", number(w.signals)},
		{"rules with signals", fmt.Sprintf("%s of %s", number(fired), number(len(w.inOrder)))},
		{"hosts", number(len(w.byName[hosts].names))},
		{"users", number(len(w.byName[users].names))},
		{"events judged", number(judged)},
	}
}

func (w *Writer) facets() []facetView {
	rules := newTally()
	for _, r := range w.inOrder {
		rules.counts = append(rules.counts, r.Signals)
		rules.names = append(rules.names, visible(r.Name))
	}
	view := func(id, title, none string, t *tally) facetView {
		v := facetView{ID: id, Title: title, Names: t.top(largest), None: t.none, NoneText: none}
		for _, c := range t.counts {
			if c > 0 {
				v.Total++
			}
		}
		return v
	}
	return []facetView{
		view("rules", "Rules", "", rules),
		view("techniques", "ATT&CK techniques", "none named by the rule", w.techs),
		view("hosts", "Hosts", "no host in the event", w.byName[hosts]),
		view("users", "Users", "no user in the event", w.byName[users]),
		view("processes", "Processes", "no process in the event", w.byName[processes]),
	}
}

func (w *Writer) timelineView() timelineView {
	bars, most := w.timeline.bars()
	v := timelineView{Bars: bars, Most: most, Untimed: w.timeline.untimed}
	if len(bars) == 0 {
		return v
	}
	var sums bucket
	var peak bar
	for _, b := range bars {
		for i, c := range b.Counts {
			sums[i] += c
		}
		if b.Signals == most && peak.Signals == 0 {
			peak = b
		}
	}
	for i, c := range sums {
		if c > 0 {
			v.Legend = append(v.Legend, severities[i])
		}
	}
	v.First, v.Last = minutes(bars[0].Start), minutes(bars[len(bars)-1].End)
	v.Step = length(bars[0].End.Sub(bars[0].Start))
	v.Summary = fmt.Sprintf("Signals from %s to %s UTC in steps of %s. The most in one step: %d, "+
		"from %s. A table with all figures follows.",
		seconds(bars[0].Start), seconds(bars[len(bars)-1].End), v.Step, most, seconds(peak.Start))
	if bars[0].Start.Second() != 0 || bars[len(bars)-1].End.Second() != 0 {
		v.First, v.Last = seconds(bars[0].Start), seconds(bars[len(bars)-1].End)
	}
	return v
}

func (w *Writer) index(bars []bar) index {
	x := index{
		Hosts: w.byName[hosts].names, Users: w.byName[users].names,
		Processes:  w.byName[processes].names,
		Techniques: w.techs.names, Severities: severities[:],
	}
	for _, r := range w.inOrder {
		x.Rules = append(x.Rules, indexRule{
			ID: visible(string(r.ID)), Name: visible(r.Name), Description: visible(r.Description),
			Query: visible(r.Query), Techniques: slices.Clip(r.Techniques),
		})
	}
	for _, b := range bars {
		x.Bars = append(x.Bars, [2]int64{b.Start.UnixMilli(), b.End.UnixMilli()})
	}
	return x
}

func minutes(t time.Time) string { return t.UTC().Format("2006-01-02 15:04") }
func seconds(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") }

// period writes an interval; an open end is said in words.
func period(from, to time.Time) string {
	switch {
	case from.IsZero() && to.IsZero():
		return ""
	case from.IsZero():
		return "until " + seconds(to)
	case to.IsZero():
		return "from " + seconds(from)
	}
	return seconds(from) + " to " + seconds(to)
}

func length(d time.Duration) string {
	switch {
	case d >= 24*time.Hour:
		return counted(int(d/(24*time.Hour)), "day")
	case d >= time.Hour:
		return counted(int(d/time.Hour), "hour")
	case d >= time.Minute:
		return counted(int(d/time.Minute), "minute")
	}
	return counted(int(d/time.Second), "second")
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return number(n) + " " + what + "s"
}

// number groups the digits by thousands.
func number[T int | int64](n T) string {
	digits := strconv.FormatInt(int64(n), 10)
	for i := len(digits) - 3; i > 0 && digits[i-1] != '-'; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}
