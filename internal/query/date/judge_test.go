package date_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/valyala/fastjson"

	"esrule/internal/estest"
	"esrule/internal/query/date"
)

// judgedFormats are formats with texts that they take. Each text is judged with variants of it.
var judgedFormats = []struct {
	format string
	texts  []string
}{
	{"yyyy-MM-dd", []string{"2020-02-29", "0001-01-01", "-2020-01-02", "+12020-01-02", "12020-01-02"}},
	{"uuuu-MM-dd", []string{"2020-02-29", "-0044-03-15", "+12020-01-02"}},
	{"y-M-d", []string{"2020-2-3", "12020-12-31", "-5-1-1"}},
	{"yy/MM/dd", []string{"99/12/31", "00/01/01"}},
	{"yyyyMMdd", []string{"20200203", "+120200203"}},
	{"yMMdd", []string{"20200203", "120200203"}},
	{"dMyyyy", []string{"322020"}},
	{"yyyyMMddHHmmssSSS", []string{"20200203040506789"}},
	{"G yyyy-MM-dd", []string{"AD 2020-02-03", "BC 0044-03-15", "ad 2020-02-03"}},
	{"uuuu-MM-dd GGG", []string{"2020-02-03 AD"}},
	{"yyyy-'Q'Q", []string{"2020-Q2", "2020-Q1"}},
	{"uuuu-QQQ-MM-dd", []string{"2020-Q1-02-03", "2020-Q2-02-03"}},
	{"yyyy QQ", []string{"2020 01", "2020 03"}},
	{"yyyy-MM-dd EEE", []string{"2020-02-03 Mon", "2020-02-03 Tue", "2020-02-03 mon"}},
	{"uuuu-MM-dd EEEE", []string{"2020-02-03 Monday", "2020-02-03 Tuesday", "2020-02-03 Mon"}},
	{"uuuu-MM E", []string{"2020-02 Sat", "2020-02 Mon"}},
	{"dd/MMM/yyyy:HH:mm:ss Z", []string{"03/Feb/2020:04:05:06 +0130", "03/feb/2020:04:05:06 +0000", "03/Sep/2020:04:05:06 -0800"}},
	{"d MMMM yyyy", []string{"3 February 2020", "31 May 2020", "3 Feb 2020"}},
	{"E, d MMM yyyy HH:mm:ss z", []string{"Mon, 3 Feb 2020 04:05:06 GMT", "Mon, 3 Feb 2020 04:05:06 Europe/Paris"}},
	{"yyyy-DDD", []string{"2020-060", "2020-366", "2021-366"}},
	{"uuuu-D MM", []string{"2020-60 02", "2020-61 02"}},
	{"yyyy-MM-dd HH:mm:ss.SSS", []string{"2020-02-03 04:05:06.789"}},
	{"yyyy-MM-dd HH:mm:ss.SSSSSS", []string{"2020-02-03 04:05:06.789012"}},
	{"yyyy-MM-dd HH:mm:ss.n", []string{"2020-02-03 04:05:06.789000000"}},
	{"yyyy-MM-dd HH:mm.SSS", []string{"2020-02-03 04:05.789"}},
	{"yyyy-MM-dd HH ss", []string{"2020-02-03 04 05"}},
	{"yyyy-MM-dd mm", []string{"2020-02-03 04"}},
	{"yyyy-MM-dd hh:mm a", []string{"2020-02-03 12:10 AM", "2020-02-03 11:10 PM", "2020-02-03 00:10 AM", "2020-02-03 11:10 pm"}},
	{"yyyy-MM-dd KK:mm a", []string{"2020-02-03 00:10 PM", "2020-02-03 12:10 PM"}},
	{"yyyy-MM-dd hh:mm", []string{"2020-02-03 11:10", "2020-02-03 12:10"}},
	{"yyyy-MM-dd a", []string{"2020-02-03 AM", "2020-02-03 PM"}},
	{"yyyy-MM-dd kk:mm", []string{"2020-02-03 24:00", "2020-02-03 07:00", "2020-02-03 23:00"}},
	{"yyyy-MM-dd A", []string{"2020-02-03 3600000"}},
	{"yyyy-MM-dd N", []string{"2020-02-03 3600000000000"}},
	{"yyyy-MM-dd[ HH[:mm]]", []string{"2020-02-03", "2020-02-03 04", "2020-02-03 04:05"}},
	{"yyyy''MM", []string{"2020'05"}},
	{"yyyy-MM-dd'T'HH:mm 'o''clock'", []string{"2020-02-03T04:05 o'clock"}},
	{"yyyy dd", []string{"2020 03"}},
	{"yyyy", []string{"2020"}},
	{"MM-dd", []string{"02-03"}},
	{"MM HH:mm", []string{"02 10:11"}},
	{"MM-dd HH:mm", []string{"02-03 10:11"}},
	{"yyyy HH:mm", []string{"2020 10:11"}},
	{"yyyy-MM HH", []string{"2020-05 10"}},
	{"HH:mm", []string{"10:11"}},
	{"yyyy-MM-dd HH:mmX", []string{"2020-02-03 04:05Z", "2020-02-03 04:05+02", "2020-02-03 04:05+0230"}},
	{"yyyy-MM-dd HH:mmXX", []string{"2020-02-03 04:05Z", "2020-02-03 04:05-0230"}},
	{"yyyy-MM-dd HH:mmXXX", []string{"2020-02-03 04:05Z", "2020-02-03 04:05+02:30", "2020-02-03 04:05+18:00"}},
	{"yyyy-MM-dd HH:mmXXXX", []string{"2020-02-03 04:05+0230", "2020-02-03 04:05+023015"}},
	{"yyyy-MM-dd HH:mmXXXXX", []string{"2020-02-03 04:05+02:30", "2020-02-03 04:05+02:30:15"}},
	{"yyyy-MM-dd HH:mmx", []string{"2020-02-03 04:05Z", "2020-02-03 04:05+00"}},
	{"yyyy-MM-dd HH:mmxxx", []string{"2020-02-03 04:05+00:00"}},
	{"yyyy-MM-dd HH:mmZZZZ", []string{"2020-02-03 04:05GMT+02:00", "2020-02-03 04:05GMT"}},
	{"yyyy-MM-dd HH:mmZZZZZ", []string{"2020-02-03 04:05Z", "2020-02-03 04:05-02:00"}},
	{"yyyy-MM-dd HH:mm O", []string{"2020-02-03 04:05 GMT", "2020-02-03 04:05 GMT+2", "2020-02-03 04:05 GMT-11:30"}},
	{"yyyy-MM-dd HH:mm OOOO", []string{"2020-02-03 04:05 GMT+02:00"}},
	{"yyyy-MM-dd HH:mm VV", []string{"2020-03-29 02:30 Europe/Paris", "2020-10-25 02:30 Europe/Paris", "2020-02-03 04:05 America/New_York", "2020-02-03 04:05 UTC+02:00", "2020-02-03 04:05 +02:00", "2020-02-03 04:05 Z",
		"2020-02-03 04:05 Etc/GMT+2", "2020-02-03 04:05 UT", "2020-02-03 04:05 Asia/Kolkata"}},
	{"yyyy-MM-dd'['VV']'", []string{"2020-10-25[Europe/Paris]"}},
	{"weekyear", []string{"2020"}},
	{"strict_weekyear", []string{"2020", "+12021"}},
	{"weekyear_week", []string{"2020-W06", "2020-W53", "2021-W1"}},
	{"strict_weekyear_week_day", []string{"2020-W06-3", "2026-W53-7"}},
	{"week_date", []string{"2020-W06-3", "2021-W6-1"}},
	{"strict_week_date_time", []string{"2020-W06-3T10:11:12.5+02:00"}},
	{"week_date_time_no_millis", []string{"2020-W06-3T10:11:12Z"}},
	{"basic_week_date", []string{"2020W063"}},
	{"basic_week_date_time", []string{"2020W063T101112.5Z"}},
	{"strict_date_optional_time", []string{"2020-02-03T04:05:06Europe/Paris", "2020-02-03T04:05:06UTC+02:00", "2020-02-03T04:05:06.7+0130"}},
	{"strict_date_time", []string{"2020-02-03T04:05:06.1Europe/Paris"}},
	{"strict_ordinal_date_time", []string{"2020-060T04:05:06.1Z"}},
	{"basic_date_time_no_millis", []string{"20200203T040506Z"}},
	{"yyyy-MM-dd||HH:mm", []string{"2020-02-03", "10:11"}},
}

// TestJudgeFormats lets a real server judge what texts are in a format: as the value of a document, and as a constant
// that a document is compared with.
func TestJudgeFormats(t *testing.T) {
	for seed := range estest.Seeds(t) {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) { judgeFormats(t, rand.New(rand.NewPCG(seed, 0))) })
	}
}

// judgedText is one text in one format, with the server's answers in milliseconds; nil is a refusal.
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
			t.Errorf("%q as %s, %s: got %s, want %s, as Elasticsearch has it", j.text, j.format, what, shown(got), shown(want))
		}
	}
	format := date.New(j.format)
	if format.Unknown != "" {
		t.Fatalf("%s is not read", j.format)
	}
	value := millis(format.Parse([]byte(j.text), false))
	if value == nil && strings.Contains(j.format, "z") {
		return // may be a zone by its abbreviation, which is refused on purpose
	}
	differ("a value", value, j.value)
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
	for range 6 {
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
		properties[fields[f.format]] = map[string]any{"type": "date", "format": f.format, "ignore_malformed": true}
	}
	properties["n"] = map[string]any{"type": "long"}
	index := cluster.Index("values")
	cluster.Create(index, map[string]any{"settings": map[string]any{"number_of_replicas": 0}, "mappings": map[string]any{"properties": properties}})
	var batch []any
	for n, one := range all {
		batch = append(batch, map[string]any{"n": n, fields[one.format]: one.text})
	}
	cluster.Bulk(index, batch...)
	body := map[string]any{"size": 10_000, "_source": false, "docvalue_fields": []any{"n", map[string]any{"field": "f*", "format": "epoch_millis"}}}
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

// askConstants asks what the server makes of each text in a range query: it shows the bound that it would search for,
// over documents so far apart that none is trivial.
func askConstants(t *testing.T, cluster *estest.Cluster, all []*judgedText) {
	t.Helper()
	index := cluster.Index("constants")
	cluster.Create(index, `{"settings":{"number_of_shards":1,"number_of_replicas":0},"mappings":{"properties":{"d":{"type":"date","format":"epoch_millis"}}}}`)
	cluster.Bulk(index, `{"d":-1000000000000000}`, `{"d":1000000000000000}`)
	bounds := regexp.MustCompile(`d:\[(-?\d+) TO (-?\d+)\]`)
	ask := func(bound string, one *judgedText) []string {
		query, err := json.Marshal(map[string]any{"query": map[string]any{"range": map[string]any{"d": map[string]any{bound: one.text, "format": one.format}}}})
		if err != nil {
			t.Fatal(err)
		}
		return bounds.FindStringSubmatch(string(cluster.Do("POST", index+"/_validate/query?explain=true", query)))
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
