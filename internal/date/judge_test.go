package date_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/valyala/fastjson"

	"esrule/internal/date"
	"esrule/internal/estest"
)

// judgedFormats are the formats that are read here, with texts that they take. Each text is judged
// with variants of it.
var judgedFormats = []struct {
	format string
	texts  []string
}{
	{"strict_date_optional_time", []string{
		"2020", "2020-02", "2020-02-29", "2020-02-03T", "2020-02-03T04", "2020-02-03T04:05",
		"2020-02-03T04:05:06", "2020-02T04:05",
		"2020-02-03T04:05:06Z", "2020-02-03T04:05:06.7Z", "2020-02-03T04:05:06.789Z",
		"2020-02-03T04:05:06,123456789+01:30",
		"2020-02-03T04:05:06.7+0130", "2020-02-03T04Z", "2020-02-03T04:05-08",
		"2020-02-03T04:05:06+02:30:15", "2020-02-03T04:05:06+02:3015",
		"2020-02-03T04:05:06+0230:15", "2020-02-03T04:05:06+023015",
		"2020-02-03T04:05:06UTC+02:00", "2020-02-03T04:05:06GMT", "2020-02-03T04:05:06UT-9",
		"2020-02-03T04:05:06Europe/Paris",
		"2020-03-29T02:30:00Europe/Paris", "2020-10-25T02:30:00Europe/Paris",
		"2020-02-03T04:05Etc/GMT+2",
		"2020-02-03T04:05CET", "2020-02-03T04:05EST5EDT", "2020-02-03T04:05GB",
		"2020-02-03T04:05GMT0", "2020-02-03T04:05EST",
		"2020-02-03T04:05CEST", "2020-02-03T04:05ROC", "2020-02-03T04:05Factory",
		"2020-02-03T04:05Local", "-0044-03-15", "0000-01-01",
		"20200203", "2020-02-03 04:05:06", "2020-060", "2020-W06-3", "12020-01-01", "+2020-01-01",
	}},
	{"strict_date_optional_time_nanos", []string{
		"2020", "2020-02-29", "2020-02-03T04:05:06Z", "2020-02-03T04:05:06.123456789Z",
		"2020-02-03T04:05Z", "2020-02-03T04:05:06.7+0130",
		"2020-02-03T04:05:06Europe/Paris",
	}},
	{"epoch_millis", []string{"0", "1516116808349", "-1", "-1516116808349", "1.5",
		"1516116808349.25", "-0.5", "007", "1e3"}},
	{"epoch_second", []string{"0", "1516116808", "-1", "1516116808.25", "-1516116808.349", "007"}},
	{"epoch_second||strict_date_optional_time", []string{"2020", "1516116808", "2018-01-16"}},
	{"strict_date_optional_time||epoch_millis",
		[]string{"2020", "20200", "1516116808349", "2018-01-16"}},
}

// TestJudgeFormats lets a real server judge what texts are in a format: as the value of a document,
// and as a constant that a document is compared with.
func TestJudgeFormats(t *testing.T) {
	for seed := range estest.Seeds(t) {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			judgeFormats(t, rand.New(rand.NewPCG(seed, 0)))
		})
	}
}

// judgedText is one text in one format, with the server's answers in milliseconds; nil is a
// refusal.
type judgedText struct {
	format, text       string
	value, first, last *int64
}

func judgeFormats(t *testing.T, random *rand.Rand) {
	cluster := estest.For(t)
	var all []*judgedText
	for _, f := range judgedFormats {
		for _, text := range f.texts {
			for _, variant := range variants(random, text) {
				all = append(all, &judgedText{format: f.format, text: variant})
			}
		}
	}
	askValues(t, cluster, all)
	askConstants(t, cluster, all)
	taken := 0
	for _, one := range all {
		if one.value != nil {
			taken++
		}
		one.check(t)
	}
	t.Logf("%d texts, of which the server takes %d", len(all), taken)
	if taken < len(judgedFormats) {
		t.Errorf("the server takes %d of %d texts: the test shows too little", taken, len(all))
	}
}

func (j *judgedText) check(t *testing.T) {
	t.Helper()
	millis := func(i date.Instant, ok bool) *int64 {
		if !ok {
			return nil
		}
		n := i.Millis()
		return &n
	}
	differ := func(what string, got, want *int64) {
		t.Helper()
		if shown(got) != shown(want) {
			t.Errorf("%q as %s, %s: got %s, want %s, as Elasticsearch has it", j.text, j.format,
				what, shown(got), shown(want))
		}
	}
	format := date.New(j.format)
	differ("a value", millis(format.Parse([]byte(j.text))), j.value)
	if j.first == nil || j.last == nil {
		return // an error in Elasticsearch: esrule decides for itself
	}
	from, to, _, ok := format.Range(j.text, time.Time{})
	differ("a constant's beginning", millis(from, ok), j.first)
	differ("a constant's end", millis(to, ok), j.last)
}

func shown(millis *int64) string {
	if millis == nil {
		return "a refusal"
	}
	return time.UnixMilli(*millis).UTC().Format(layout)
}

// variants are a text and what becomes of it where a character is changed.
func variants(random *rand.Rand, text string) []string {
	list := []string{text}
	for len(list) < 4 {
		b := []byte(text)
		at := random.IntN(len(b))
		switch random.IntN(6) {
		case 0:
			b = append(b[:at], b[at+1:]...)
		case 1:
			b = append(b[:at], append([]byte{b[at]}, b[at:]...)...)
		case 2:
			b[at] = " -+:.0Z"[random.IntN(7)]
		default: // mostly another date
			if '0' <= b[at] && b[at] <= '9' {
				b[at] = byte('0' + random.IntN(10))
			}
		}
		if bytes.Contains(b, []byte("ZZ")) {
			continue // 8.19 takes it for Z, which nobody writes
		}
		list = append(list, string(b))
	}
	return list
}

// askValues indexes each text in a field of its format.
func askValues(t *testing.T, cluster *estest.Cluster, all []*judgedText) {
	t.Helper()
	properties, fields := map[string]any{}, map[string]string{}
	for i, f := range judgedFormats {
		fields[f.format] = fmt.Sprint("f", i)
		properties[fields[f.format]] = map[string]any{"type": "date", "format": f.format,
			"ignore_malformed": true}
	}
	properties["n"] = map[string]any{"type": "long"}
	index := cluster.Index("values")
	cluster.Create(index, map[string]any{"settings": map[string]any{"number_of_replicas": 0},
		"mappings": map[string]any{"properties": properties}})
	var batch []any
	for n, one := range all {
		batch = append(batch, map[string]any{"n": n, fields[one.format]: one.text})
	}
	cluster.Bulk(index, batch...)
	body := map[string]any{"size": 10_000, "_source": false,
		"docvalue_fields": []any{"n", map[string]any{"field": "f*", "format": "epoch_millis"}}}
	answer, err := fastjson.ParseBytes(cluster.Do("POST", index+"/_search", body))
	if err != nil {
		t.Fatal(err)
	}
	for _, hit := range answer.GetArray("hits", "hits") {
		one := all[hit.GetInt("fields", "n", "0")]
		if text := hit.GetStringBytes("fields", fields[one.format], "0"); text != nil {
			one.value = whole(t, string(text))
		}
	}
}

// askConstants asks what the server makes of each text in a range query: it shows the bound that it
// would search for, over documents so far apart that none is trivial.
func askConstants(t *testing.T, cluster *estest.Cluster, all []*judgedText) {
	t.Helper()
	index := cluster.Index("constants")
	cluster.Create(index, `{"settings":{"number_of_shards":1,"number_of_replicas":0},"mappings":{"properties":{"d":{"type":"date","format":"epoch_millis"}}}}`)
	cluster.Bulk(index, `{"d":-1000000000000000}`, `{"d":1000000000000000}`)
	bounds := regexp.MustCompile(`d:\[(-?\d+) TO (-?\d+)\]`)
	ask := func(bound string, one *judgedText) []string {
		query, err := json.Marshal(
			map[string]any{"query": map[string]any{"range": map[string]any{"d": map[string]any{bound: one.text, "format": one.format}}}})
		if err != nil {
			t.Fatal(err)
		}
		return bounds.FindStringSubmatch(string(cluster.Do("POST", index+
			"/_validate/query?explain=true", query)))
	}
	for _, one := range all {
		if strings.Contains(one.text, "||") || strings.HasPrefix(one.text, "now") {
			continue
		}
		if found := ask("gte", one); found != nil {
			one.first = whole(t, found[1])
		}
		if found := ask("lte", one); found != nil {
			one.last = whole(t, found[2])
		}
	}
}

func whole(t *testing.T, text string) *int64 {
	t.Helper()
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return &n
}
