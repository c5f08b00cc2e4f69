package match_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/valyala/fastjson"

	"esrule/internal/elastic/search"
	"esrule/internal/estest"
	"esrule/internal/event"
	"esrule/internal/query/eql"
	"esrule/internal/query/match"
)

// namedFormats are all that Elasticsearch has, without "strict_" before those that have it.
const namedFormats = `iso8601 epoch_millis epoch_second strict_date_optional_time_nanos
	basic_date basic_date_time basic_date_time_no_millis
	basic_ordinal_date basic_ordinal_date_time basic_ordinal_date_time_no_millis
	basic_time basic_time_no_millis basic_t_time basic_t_time_no_millis`

const strictFormats = `basic_week_date basic_week_date_time basic_week_date_time_no_millis
	date date_hour date_hour_minute date_hour_minute_second date_hour_minute_second_fraction
	date_hour_minute_second_millis
	date_optional_time date_time date_time_no_millis
	hour hour_minute hour_minute_second hour_minute_second_fraction hour_minute_second_millis
	ordinal_date ordinal_date_time ordinal_date_time_no_millis time time_no_millis
	t_time t_time_no_millis
	week_date week_date_time week_date_time_no_millis weekyear weekyear_week weekyear_week_day
	year year_month year_month_day`

// patternFormats are lists and patterns as mappings have them.
var patternFormats = []string{
	"yyyy/MM/dd HH:mm:ss||epoch_millis", "epoch_second||yyyy/MM/dd HH:mm:ss",
	"dd/MMM/yyyy:HH:mm:ss Z", "MMM d yyyy", "dd.MM.yyyy",
	"yyyy-MM-dd HH:mm:ss,SSS", "YYYY-'W'ww", "uuuu-MM-dd[ HH:mm[:ss]]", "yyyy", "HH:mm",
	"yyyy-MM-dd HH:mm VV", "G yyyy-MM-dd",
	"yyyy-'Q'Q", "strict_date_optional_time||epoch_second", "strict_date_time||dd.MM.yyyy",
	"dd.MM.yyyy||strict_date_optional_time_nanos",
}

// dateTexts are both values and constants.
var dateTexts = []string{
	"2026-01-02", "2026-01-02T03:04:05Z", "2026-01-02T03:04:05.678Z", "2026-01-02T03:04:05",
	"2026-01-02T03:04:05.678",
	"2026-01-02T03:04:05.678901", "2026-01-02T03:04:05.123456789+05:30", "2026-01-02T03:04Z",
	"2026-01-02T03:04", "2026-01-02T03",
	"2026-01-02T03Z", "2026-1-2", "2026-1-2T3:4:5Z", "2026-1-2T3:4", "2026", "2026-01",
	"2026-02-30", "0026-01-02", "12026-01-02",
	"-0005-01-02", "20260102", "20260102T030405Z", "20260102T030405.678Z", "2026-002",
	"2026-002T03:04:05Z",
	"2026-002T03:04:05.678+01:00", "2026002", "2026002T030405Z", "2026002T030405.678Z", "2026-W01",
	"2026-W02-5", "2026-W1-5T3:4:5Z",
	"2026-W01-5T03:04:05.678Z", "2026W015", "2026W015T030405Z", "2026W015T030405.678Z", "03:04:05",
	"03:04", "03", "3", "03:04:05.678",
	"03:04:05Z", "03:04:05.678+01:00", "T03:04:05Z", "T03:04:05.678Z", "030405Z", "030405.678Z",
	"T030405Z", "T030405.678Z",
	"1767323045678", "1767323045", "1767323045.25", "x", "", "02.01.2026", "2026/01/02 03:04:05",
	"02/Jan/2026:03:04:05 +0100",
	"Jan 2 2026", "2026-01-02 03:04:05,678", "2026-01-02 03:04", "2026-01-02 03:04 Europe/Paris",
	"AD 2026-01-02", "2026-Q2",
	"02.01.2026||+1d", "2026-01-02||/M",
}

// dateFormats has every format, of which strict_ is one of its own.
func dateFormats() []string {
	formats := append(strings.Fields(namedFormats), patternFormats...)
	for _, name := range strings.Fields(strictFormats) {
		formats = append(formats, name, "strict_"+name)
	}
	return formats
}

// datesJudge compares the matcher with a real server over fields of every date format.
type datesJudge struct {
	*testing.T
	cluster *estest.Cluster
	index   string
	paths   []string
	formats map[string]string // by path
	mapping *event.Mapping
	texts   []string         // of the documents
	fields  []event.Document // without the source
	// taken are the constants that the server takes for a date, by path.
	taken map[string]map[string]bool
}

// TestJudgeDateFormats lets a real server judge dates in all of its formats: each text as a value
// of a document, and as a constant that all documents are compared with.
func TestJudgeDateFormats(t *testing.T) {
	j := newDatesJudge(t, "date", dateFormats(), dateTexts)
	j.judge(`==`)
	j.judge(`<`)
	j.judge(`<=`)
	j.judge(`>`)
	j.judge(`>=`)
}

// TestJudgeNanosFormats does the same for dates to the nanosecond, over few formats.
func TestJudgeNanosFormats(t *testing.T) {
	formats := []string{
		"strict_date_time", "dd.MM.yyyy||strict_date_optional_time_nanos", "date_optional_time",
		"epoch_second", "iso8601",
		"yyyy-MM-dd HH:mm:ss,SSS", "strict_date_optional_time||epoch_second",
	}
	j := newDatesJudge(t, "date_nanos", formats, dateTexts)
	j.judge(`==`)
	j.judge(`<`)
	j.judge(`>=`)
}

func newDatesJudge(t *testing.T, kind string, formats, texts []string) *datesJudge {
	j := &datesJudge{T: t, cluster: estest.For(t), formats: map[string]string{}, texts: texts,
		taken: map[string]map[string]bool{}}
	j.index = j.cluster.Index(strings.ReplaceAll(kind, "_", "-"))
	properties := map[string]any{}
	for i, format := range formats {
		path := fmt.Sprintf("f%03d", i)
		j.paths, j.formats[path], j.taken[path] = append(j.paths, path), format, map[string]bool{}
		properties[path] = map[string]any{"type": kind, "format": format, "ignore_malformed": true}
	}
	j.cluster.Create(j.index, map[string]any{
		"settings": map[string]any{"number_of_shards": 1, "number_of_replicas": 0,
			"max_docvalue_fields_search": 200},
		"mappings": map[string]any{"dynamic": false, "properties": properties},
	})
	var documents []any
	for _, text := range texts {
		document := map[string]any{}
		for _, path := range j.paths {
			document[path] = text
		}
		documents = append(documents, document)
	}
	j.cluster.Bulk(j.index, documents...)
	j.read(kind)
	return j
}

// read reads the mapping with the constants, and the documents, as a run does.
func (j *datesJudge) read(kind string) {
	c := search.NewCluster(j.cluster.Client, search.Options{})
	classes, err := c.Mappings(j.Context(), []string{j.index}, j.paths)
	if err != nil {
		j.Fatal(err)
	}
	constants := map[string][]string{}
	for _, path := range j.paths {
		constants[path] = j.texts
	}
	if classes, err = c.ReadDates(j.Context(), classes, constants); err != nil ||
		len(classes) != 1 {
		j.Fatalf("%d classes, %v", len(classes), err)
	}
	j.mapping = classes[0].Mapping
	pit, err := c.OpenPointInTime(j.Context(), []string{j.index})
	if err != nil {
		j.Fatal(err)
	}
	defer func() { _ = pit.Close(j.Context()) }()
	for page, err := range pit.Pages(j.Context(),
		search.Request{Fields: search.Want(j.mapping, j.paths)}) {
		if err != nil || len(page.Failures) > 0 {
			j.Fatal(err, page.Failures)
		}
		// in the order in which they were written: one shard, one segment
		for hit := range page.Hits(nil) {
			d := hit.Document()
			j.fields = append(j.fields, event.Document{Fields: bytes.Clone(d.Fields),
				Ignored: bytes.Clone(d.Ignored)})
		}
	}
	if len(j.fields) != len(j.texts) {
		j.Fatalf("%s: %d of %d documents", kind, len(j.fields), len(j.texts))
	}
}

// judge compares every field with every constant that the server takes, which == tells and must
// come first: of others some servers read one end, such as the end of "2026-02-30".
func (j *datesJudge) judge(op string) {
	j.Helper()
	taken, matches := 0, 0
	for _, path := range j.paths {
		for i, answer := range j.ask(path, op) {
			constant := j.texts[i]
			if op == "==" {
				j.taken[path][constant] = !answer.Exists("error")
			}
			if !j.taken[path][constant] {
				j.refused(path, constant)
				continue
			}
			taken++
			want := map[string]bool{}
			for _, hit := range answer.GetArray("hits", "hits") {
				want[j.texts[hit.GetInt("sort", "0")]] = true
			}
			for _, text := range j.matched(path, op, constant) {
				matches++
				if !want[text] {
					j.Errorf("%s: %q %s %q: got true, want false, as Elasticsearch has it",
						j.formats[path], text, op, constant)
				}
				delete(want, text)
			}
			for text := range want {
				j.Errorf("%s: %q %s %q: got false, want true, as Elasticsearch has it",
					j.formats[path], text, op, constant)
			}
		}
	}
	j.Logf("%s: %d constants in %d formats are taken, %d matches", op, taken, len(j.paths), matches)
	if taken < 2*len(j.paths) || matches < taken {
		j.Errorf("%s: %d taken, %d matches: the test shows too little", op, taken, matches)
	}
}

// ask compares a field with every constant on the server.
func (j *datesJudge) ask(path, op string) []*fastjson.Value {
	j.Helper()
	bound := map[string]string{"<": "lt", "<=": "lte", ">": "gt", ">=": "gte"}[op]
	var body strings.Builder
	for _, constant := range j.texts {
		query := map[string]any{"term": map[string]any{path: map[string]any{"value": constant}}}
		if op != "==" {
			query = map[string]any{"range": map[string]any{path: map[string]any{bound: constant}}}
		}
		line, err := json.Marshal(map[string]any{"query": query, "size": 1000, "_source": false,
			"sort": "_doc"})
		if err != nil {
			j.Fatal(err)
		}
		body.WriteString("{}\n" + string(line) + "\n")
	}
	answer, err := fastjson.ParseBytes(j.cluster.Do("POST", j.index+
		"/_msearch?filter_path=responses.hits.hits.sort,responses.error.type,responses.took",
		body.String()))
	if err != nil {
		j.Fatal(err)
	}
	return answer.GetArray("responses")
}

// refused holds that no other reading of a constant is taken for that of a field that only the
// server reads.
func (j *datesJudge) refused(path, constant string) {
	j.Helper()
	f := j.mapping.Fields[path]
	if f.Constants == nil {
		return
	}
	if span, taken := (*f.Constants)[constant]; taken {
		j.Errorf("%s: %q is read as %v, and the server refuses it", j.formats[path], constant, span)
	}
}

func (j *datesJudge) matched(path, op, constant string) []string {
	j.Helper()
	q, err := eql.Parse(fmt.Sprintf("any where %s %s %q", path, op, constant))
	if err != nil {
		j.Fatal(err)
	}
	var fields event.Fields
	matcher, err := match.Compile(q, &fields, match.Options{})
	if err != nil {
		j.Fatal(err)
	}
	e := match.NewEvaluation(&fields, time.Now())
	var texts []string
	for i, text := range j.texts {
		source, err := json.Marshal(map[string]string{path: text})
		if err != nil {
			j.Fatal(err)
		}
		document := j.fields[i]
		document.Source = source
		if err := e.Read(j.mapping, document); err != nil {
			j.Fatal(err)
		}
		if matcher.Match(e) {
			texts = append(texts, text)
		}
	}
	return slices.Compact(texts)
}
