package config

import (
	"bytes"
	"strings"

	"github.com/kelseyhightower/envconfig"
)

// Prefix begins the name of every variable of the configuration.
const Prefix = "ESRULE"

// environment is the configuration as it is written: one text a variable, with its default, before
// any is judged. envconfig derives the names from the fields (Elasticsearch.APIKeyFile is
// ESRULE_ELASTICSEARCH_API_KEY_FILE). The fields are named by split_words and never by an
// `envconfig` tag: with such a tag the library also reads the name without its prefix, and a stray
// INDEX or PASSWORD of some other program would become ours.
type environment struct {
	Elasticsearch   elasticsearchEnvironment
	Rules           setting
	Exceptions      setting
	Tag             setting
	Severity        setting
	RuleID          setting `split_words:"true"`
	ExcludeRule     setting `split_words:"true"`
	Index           setting
	SetAside        setting `split_words:"true"`
	AlertsIndex     setting `split_words:"true"`
	SignalsIndex    setting `split_words:"true"`
	StateIndex      setting `split_words:"true"`
	DeadLetterIndex setting `split_words:"true"`
	Schedule        setting
	Start           setting
	Late            setting
	PageSize        setting `split_words:"true"`
	MetricsAddress  setting `split_words:"true"`
	LogLevel        setting `split_words:"true"`
	LogFormat       setting `split_words:"true"`
}

type elasticsearchEnvironment struct {
	URL             setting
	CloudID         setting `split_words:"true"`
	APIKey          string  `split_words:"true"`
	APIKeyFile      setting `split_words:"true"`
	Username        setting
	Password        string
	PasswordFile    setting `split_words:"true"`
	CAFile          setting `split_words:"true"`
	CertFingerprint setting `split_words:"true"`
}

// defaultEnvironment is the configuration where no variable is set. config.example.env repeats it,
// and a test holds the two together.
func defaultEnvironment() environment {
	return environment{
		SignalsIndex:    "esrule-signals",
		StateIndex:      "esrule-state",
		DeadLetterIndex: "esrule-dead-letter",
		Schedule:        "@every 5m",
		Late:            "24h",
		PageSize:        "5000",
		LogLevel:        "info",
		LogFormat:       "text",
	}
}

// setting is the text of a variable. A blank one counts as not set, since files for containers
// often hand through a variable that nobody gave a value.
type setting string

// Decode implements envconfig.Decoder.
func (s *setting) Decode(text string) error {
	if text = strings.TrimSpace(text); text != "" {
		*s = setting(text)
	}
	return nil
}

// Variable is a variable that the program reads, and the text that it uses where that is not set.
type Variable struct{ Name, Default string }

// Variables lists what the program reads, as envconfig derives it from the struct: there is no
// second list to forget.
func Variables() []Variable {
	env := defaultEnvironment()
	var list bytes.Buffer
	if err := envconfig.Usagef(Prefix, &env, &list,
		"{{range .}}{{.Key}}={{.Field}}\n{{end}}"); err != nil {
		panic(err) // the template and the struct are constants of the program
	}
	var all []Variable
	for line := range strings.Lines(list.String()) {
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		all = append(all, Variable{name, value})
	}
	return all
}
