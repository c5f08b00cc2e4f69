package samples

import (
	"testing"
	"time"
)

func TestResolveTimes(t *testing.T) {
	now := time.Date(2026, 3, 4, 12, 0, 0, 123456789, time.FixedZone("", 3600))
	f := func(document, want string) {
		t.Helper()
		got, err := resolveTimes([]byte(document), now)
		if err != nil || string(got) != want {
			t.Errorf("%s: got %s, %v, want %s", document, got, err, want)
		}
	}
	f(`{}`, `{}`)
	f(`{"a":"${now-3m}"}`, `{"a":"2026-03-04T10:57:00.123Z"}`)
	f(`{"a":"${now-2m59.5s}","b":"${now-0s}"}`,
		`{"a":"2026-03-04T10:57:00.623Z","b":"2026-03-04T11:00:00.123Z"}`)
	f(`{"a":"${now-3m:seconds}"}`, `{"a":"2026-03-04T10:57:00Z"}`)
	f(`{"a":"${now-3m:ticks}"}`, `{"a":"2026-03-04T10:57:00.1234567Z"}`)
	f(`{"a":"${now-3m:nanos}"}`, `{"a":"2026-03-04T10:57:00.123456789Z"}`)
	f(`{"a":"${now-3m:millis}"}`, `{"a":1772621820123}`)
	f(`{"a":"at ${now-3m:windows} or ${now-3m:millis}"}`,
		`{"a":"at 2026-03-04 10:57:00.123 or 1772621820123"}`)

	refused := func(document string) {
		t.Helper()
		if got, err := resolveTimes([]byte(document), now); err == nil {
			t.Errorf("%s: got %s, want an error", document, got)
		}
	}
	refused(`{"a":"${now-3 minutes}"}`)
	refused(`{"a":"${now-3m:weeks}"}`)
	refused(`{"a":"${now+3m}"}`)
	refused(`{"a":"${now}"}`)
}
