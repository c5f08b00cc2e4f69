package words

import (
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"unicode"

	"esrule/internal/estest"
)

// TestJudgeTokens lets a real server judge the words of texts made at random: of ASCII, and of all
// of Unicode. Of those a few differ: characters that are newer than the server's Unicode 12, and
// flags that are torn apart.
func TestJudgeTokens(t *testing.T) {
	cluster := estest.For(t)
	for seed := range estest.Seeds(t) {
		random := rand.New(rand.NewPCG(seed, 0))
		judgeTokens(t, cluster, 3000, 0, func() rune { return rune(random.IntN(0x7f) + 1) })
		judgeTokens(t, cluster, 3000, 90, func() rune { return anyRune(random) })
	}
}

func anyRune(random *rand.Rand) rune {
	for {
		r := rune(random.IntN(0x860))
		switch random.IntN(6) {
		case 0:
			r = rune(0x1f300 + random.IntN(0x350))
		case 1, 2:
			r = rune(random.IntN(0x180)) + ' '
		case 3:
			list := []rune("aA1._:';,-한カかท漢❤😀®\u0301\u200c\ufe0f\u00adİΣ\u212a")
			r = list[random.IntN(len(list))]
		}
		if r != 0 && r != '\u200d' && !unicode.Is(unicode.Cs, r) &&
			!unicode.Is(unicode.Regional_Indicator, r) {
			return r
		}
	}
}

func judgeTokens(t *testing.T, cluster *estest.Cluster, n, most int, character func() rune) {
	t.Helper()
	var texts []string
	for range n {
		var b strings.Builder
		for length := int(character()) % 12; length > 0; length-- {
			b.WriteRune(character())
		}
		texts = append(texts, b.String())
	}
	different := 0
	for part := range slices.Chunk(texts, 500) {
		// Offsets count UTF-16 units, and one more after each text.
		var answer struct {
			Tokens []struct {
				Token string
				Start int `json:"start_offset"`
			}
		}
		raw := cluster.Do(http.MethodPost, "_analyze",
			map[string]any{"analyzer": "standard", "text": part})
		if err := json.Unmarshal(raw, &answer); err != nil {
			t.Fatal(err)
		}
		end := 0
		for _, text := range part {
			end += unitsOf([]byte(text)) + 1
			want := []string{}
			for len(answer.Tokens) > 0 && answer.Tokens[0].Start < end {
				want = append(want, answer.Tokens[0].Token)
				answer.Tokens = answer.Tokens[1:]
			}
			if got := split(text); !slices.Equal(got, want) {
				different++
				t.Logf("%+q: got %+q, want %+q", text, got, want)
			}
		}
	}
	if t.Logf("%d of %d texts differ", different, n); different > most {
		t.Errorf("%d of %d texts differ, want at most %d", different, n, most)
	}
}
