package search

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"esrule/internal/elastic/dsl"
	"esrule/internal/event"
)

// The analyze and the validate API are not answered across clusters. What an index makes of a
// rule's constant is read from the profile of a search instead, which shows each shard's query as
// it is run: a keyword's normalizer and a date's format have done their work on it.

// profiled is the answer to a profiled search.
type profiled struct {
	searchAnswer
	Profile struct {
		Shards []struct {
			ID       string `json:"id"` // "[node][cluster:index][shard]"
			Searches []struct {
				Query []profiledQuery `json:"query"`
			} `json:"searches"`
		} `json:"shards"`
	} `json:"profile"`
}

type profiledQuery struct {
	Type        string          `json:"type"`
	Description string          `json:"description"`
	Children    []profiledQuery `json:"children"`
}

// profile runs a query over indices of remote clusters and returns, by index, how one shard ran it,
// and the failure of those that refused it.
func (c *Cluster) profile(
	ctx context.Context, indices []string, query dsl.Clause,
) (ran map[string]profiledQuery, refused map[string]string, err error) {
	ran, refused = map[string]profiledQuery{}, map[string]string{}
	const tree = "profile.shards.searches.query."
	filter := commas([]string{"timed_out", "_shards", "_clusters", "hits", "profile.shards.id",
		tree + "type", tree + "description", tree + "**.type", tree + "**.description"})
	err = c.inPortions(ctx, indices, func(portion []string) error {
		body := summary{Profile: true, Query: query}
		var answer profiled
		_, err := c.askIndices(ctx, portion, func(names []string) call {
			q := searchOf(names, body)
			q.params.Set("filter_path", filter)
			return q
		}, &answer)
		shards := failedShards(err)
		if err == nil && answer.Shards != nil {
			shards = answer.Shards.Failures
		}
		if ctx.Err() != nil || tooMuch(err) {
			return err
		}
		for _, s := range shards {
			refused[s.Index] = s.Reason.Text()
		}
		for _, s := range answer.Profile.Shards {
			name := shardIndex.FindStringSubmatch(s.ID)
			if name != nil && len(s.Searches) > 0 && len(s.Searches[0].Query) > 0 {
				ran[name[1]] = s.Searches[0].Query[0]
			}
		}
		return nil
	})
	return ran, refused, err
}

var shardIndex = regexp.MustCompile(`\A\[[^\]]*\]\[([^\]]+)\]`)

// explain reads what remote indices make of a date, as the validate API says it of others.
func (c *Cluster) explain(ctx context.Context, indices []string,
	query dsl.Clause) ([]explanation, error) {
	ran, refused, err := c.profile(ctx, indices, query)
	var list []explanation
	for index, q := range ran {
		list = append(list, explanation{Index: index, Valid: true, Explanation: q.Description})
	}
	for index, why := range refused {
		list = append(list, explanation{Index: index, Error: why})
	}
	return list, err
}

// remoteForms completes the mapping of remote indices by what each makes of a rule's texts in its
// keyword fields, and enters it into mappings. An index that does not say it cannot be judged.
func (c *Cluster) remoteForms(
	ctx context.Context, class Class, texts []string, mappings map[string]*event.Mapping,
) error {
	var paths []string
	for path, f := range class.Mapping.Fields {
		if f.Normalizer != nil {
			paths = append(paths, path)
		}
	}
	slices.Sort(paths)
	for _, index := range class.Indices {
		own := *class.Mapping
		own.Fields = maps.Clone(class.Mapping.Fields)
		own.Unknown = slices.Clone(class.Mapping.Unknown)
		mappings[index] = &own
	}
	if len(class.Mapping.Unknown) > 0 {
		return nil // they are not judged anyway
	}
	for _, path := range paths {
		if err := c.formsOf(ctx, class, path, texts, mappings); err != nil {
			return err
		}
	}
	return nil
}

// formsOf enters what remote indices make of texts in one field.
func (c *Cluster) formsOf(
	ctx context.Context, class Class, path string, texts []string,
	mappings map[string]*event.Mapping,
) error {
	field := class.Mapping.Fields[path]
	forms := map[string]map[string]string{}
	silent := map[string]string{}
	for part := range slices.Chunk(append([]string{canary}, texts...), mostProfiled) {
		ran, refused, err := c.profile(ctx, class.Indices, tagged(field.Exact, part))
		if err != nil {
			return fmt.Errorf("ask what %s makes of the rule's constants: %w", path, err)
		}
		for _, index := range class.Indices {
			q, ok := ran[index]
			if !ok {
				silent[index] = "its index does not say what it makes of the rule's constants: " +
					refused[index]
				continue
			}
			read, ok := q.forms(field.Exact, part)
			if !ok {
				silent[index] = "what its index makes of the rule's constants cannot be read"
				continue
			}
			if forms[index] == nil {
				forms[index] = map[string]string{}
			}
			maps.Copy(forms[index], read)
		}
	}
	for _, index := range class.Indices {
		m := mappings[index]
		if why := silent[index]; why != "" {
			m.Unknown = append(m.Unknown, path+": "+why)
			continue
		}
		delete(forms[index], canary)
		own := field
		own.Normalizer = nil
		if changes(forms[index]) || own.Exact != path {
			definition, err := json.Marshal(forms[index])
			if err != nil {
				return fmt.Errorf("write what %s makes of the rule's constants: %w", path, err)
			}
			own.Normalizer = &event.Normalizer{
				Name: "of the remote index", Definition: string(definition),
				Constants: forms[index],
			}
		}
		m.Fields[path] = own
	}
	return nil
}

// changes reports whether some text is not its own form.
func changes(forms map[string]string) bool {
	for text, form := range forms {
		if text != form {
			return true
		}
	}
	return false
}

const (
	// canary is a text of no rule, which every field but a constant one shows in its query.
	canary = "esrule-canary"
	// mostProfiled is how many texts are asked for at once: a query may have 1,024 clauses.
	mostProfiled = 300
)

// tagged is a query that looks for each text in a field, beside a tag by which it is found in the
// profile. No document has such a routing, so it costs nothing.
func tagged(field string, texts []string) dsl.Clause {
	tags := []dsl.Clause{dsl.Term("_routing", tag(-1), false)}
	for i, text := range texts {
		tags = append(tags,
			dsl.And(dsl.Term(field, text, false), dsl.Term("_routing", tag(i), false)))
	}
	return dsl.Or(tags...)
}

func tag(i int) string { return fmt.Sprintf("esrule.%d.", i) }

// forms reads what became of texts in a tagged query. A constant field's clauses are gone before
// the query runs: it has no normalizer. ok is false where a form cannot be read.
func (q profiledQuery) forms(field string, texts []string) (map[string]string, bool) {
	forms := map[string]string{}
	if !q.mentions(tag(-1)) {
		return nil, false
	}
	for i, text := range texts {
		pair, ok := q.pair("_routing:" + tag(i))
		switch {
		case ok && strings.HasPrefix(pair.Type, "BinaryDvConfirmed"):
			forms[text] = text // of a wildcard field, which has no normalizer
		case ok:
			form, read := pair.form(field)
			if !read {
				return nil, false
			}
			forms[text] = form
		case constant(q, texts):
			forms[text] = text
		default:
			return nil, false
		}
	}
	return forms, true
}

// constant reports whether no text of a field is looked for: each clause is gone, or its tag is
// alone.
func constant(q profiledQuery, texts []string) bool {
	for i := range texts {
		if _, paired := q.pair("_routing:" + tag(i)); paired {
			return false
		}
	}
	return q.onlyTags()
}

// onlyTags reports whether a query looks for nothing but tags.
func (q profiledQuery) onlyTags() bool {
	if len(q.Children) == 0 {
		all := []string{"FieldExistsQuery", "DocValuesFieldExistsQuery", "MatchAllDocsQuery",
			"MatchNoDocsQuery"}
		return strings.HasPrefix(q.plain(), "_routing:") || slices.Contains(all, q.Type)
	}
	return !slices.ContainsFunc(q.Children, func(child profiledQuery) bool {
		return !child.onlyTags()
	})
}

func (q profiledQuery) mentions(text string) bool {
	return strings.Contains(q.Description, text) ||
		slices.ContainsFunc(q.Children, func(child profiledQuery) bool {
			return child.mentions(text)
		})
}

// pair returns the query that has a tag as its only sibling.
func (q profiledQuery) pair(tag string) (profiledQuery, bool) {
	if len(q.Children) == 2 && q.Type == "BooleanQuery" {
		for i, child := range q.Children {
			if child.plain() == tag && !q.Children[1-i].onlyTags() {
				return q.Children[1-i], true
			}
		}
	}
	for _, child := range q.Children {
		if found, ok := child.pair(tag); ok {
			return found, true
		}
	}
	return profiledQuery{}, false
}

// plain is the description without what says that nothing is scored.
func (q profiledQuery) plain() string {
	if inner, ok := strings.CutPrefix(q.Description, "ConstantScore("); ok {
		return strings.TrimSuffix(inner, ")")
	}
	return q.Description
}

// form returns the text that a query looks for.
func (q profiledQuery) form(field string) (string, bool) {
	text, ok := strings.CutPrefix(q.plain(), field+":")
	if !ok { // an alias: the query names its target
		_, text, ok = strings.Cut(q.plain(), ":")
	}
	if !ok {
		return "", false
	}
	switch q.Type {
	case "TermQuery", "StringScriptFieldTermQuery":
		return text, true
	case "ConstantScoreQuery":
		return text, len(q.Children) == 1 && q.Children[0].Type == "TermQuery"
	}
	bounds := byteBounds.FindStringSubmatch(text) // of doc values alone
	if bounds == nil || bounds[1] != bounds[2] {
		return "", false
	}
	read, err := hex.DecodeString(strings.ReplaceAll(bounds[1], " ", ""))
	return string(read), err == nil
}

var byteBounds = regexp.MustCompile(`\A\[\[([0-9a-f ]*)\] TO \[([0-9a-f ]*)\]\]\z`)
