package config

import (
	"fmt"
	"slices"
	"strings"

	"github.com/agext/levenshtein"

	"esrule/internal/elastic"
)

// problems gathers everything that is wrong with the configuration. Its methods take a variable's
// name without the prefix and its text, and return the value, or note why there is none.
type problems struct{ list []string }

// bad notes that a variable has a value that it cannot have, and what it wants instead.
func (p *problems) bad(name string, value any, want string) {
	p.add("%s_%s=%q: %s", Prefix, name, value, want)
}

// badHidden is bad for a value that may hold a secret.
func (p *problems) badHidden(name, want string) {
	p.add("%s_%s (value not shown): %s", Prefix, name, want)
}

func (p *problems) add(format string, args ...any) {
	p.list = append(p.list, fmt.Sprintf(format, args...))
}

func (p *problems) err() error {
	switch len(p.list) {
	case 0:
		return nil
	case 1:
		return fmt.Errorf("the configuration has a problem:\n  %s", p.list[0])
	}
	return fmt.Errorf("the configuration has %d problems:\n  %s", len(p.list),
		strings.Join(p.list, "\n  "))
}

// checkNames refuses variables with our prefix that nobody reads: most are misspelled, and a
// misspelled one silently means its default.
func (p *problems) checkNames(environ []string) {
	var known []string
	for _, v := range Variables() {
		known = append(known, v.Name)
	}
	var given []string
	for _, pair := range environ {
		name, _, _ := strings.Cut(pair, "=")
		given = append(given, name)
	}
	slices.Sort(given)
	for _, name := range given {
		if !strings.HasPrefix(name, Prefix+"_") || slices.Contains(known, name) ||
			isServiceLink(name, given) {
			continue
		}
		p.add("%s: no such variable; the nearest is %s", name, nearest(name, known))
	}
}

// checkProxies refuses a proxy that cannot be used, which Go would ignore without a word: requests
// would go to the cluster directly.
func (p *problems) checkProxies(environ []string) {
	for _, pair := range environ {
		name, value, _ := strings.Cut(pair, "=")
		switch name {
		case "HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy":
			if want := elastic.CheckProxy(value); want != "" {
				p.add("%s (value not shown): %s", name, want)
			}
		}
	}
}

// nearest returns the candidate that takes the fewest edits to reach from name. Leaving out
// ELASTICSEARCH_ is the likeliest mistake, so it costs one edit and not fourteen.
func nearest(name string, candidates []string) string {
	cost := func(candidate string) int {
		short := strings.Replace(candidate, "_ELASTICSEARCH_", "_", 1)
		if short == candidate {
			return levenshtein.Distance(name, candidate, nil)
		}
		return min(levenshtein.Distance(name, candidate, nil),
			1+levenshtein.Distance(name, short, nil))
	}
	return slices.MinFunc(candidates, func(a, b string) int { return cost(a) - cost(b) })
}

// isServiceLink says whether Kubernetes set the variable, and no user: into every pod it puts
// ESRULE_SERVICE_HOST, ESRULE_PORT_9090_TCP_ADDR and the like for a service that is called esrule.
func isServiceLink(name string, given []string) bool {
	for _, other := range given {
		service, ok := strings.CutSuffix(other, "_SERVICE_HOST")
		if !ok {
			continue
		}
		rest, ok := strings.CutPrefix(name, service+"_")
		if ok && (rest == "PORT" || strings.HasPrefix(rest, "PORT_") ||
			strings.HasPrefix(rest, "SERVICE_")) {
			return true
		}
	}
	return false
}

// named is a value and the variable it comes from.
type named struct{ name, value string }

// checkDistinct refuses the same value for two variables that must differ.
func (p *problems) checkDistinct(all ...named) {
	for i, a := range all {
		for _, b := range all[:i] {
			if a.value != "" && a.value == b.value {
				p.bad(a.name, a.value, fmt.Sprintf("is also %s_%s; each needs an index of its own",
					Prefix, b.name))
			}
		}
	}
}
