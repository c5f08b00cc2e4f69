package rule

import (
	"testing"
	"time"
)

func TestLookback(t *testing.T) {
	f := func(text string, want time.Duration) {
		t.Helper()
		got, ok := lookback(text)
		if got != want || ok != (want > 0) {
			t.Errorf("%q: got %v, %v; want %v", text, got, ok, want)
		}
	}
	f("now-9m", 9*time.Minute)
	f("now-6000s", 100*time.Minute)
	f("now-12h", 12*time.Hour)
	f("now-2d", 48*time.Hour)
	f("now-1w", 7*24*time.Hour)
	f("now-015250w", 15250*7*24*time.Hour)

	f("", 0)
	f("now", 0)
	f("now-", 0)
	f("now-m", 0)
	f("now-9", 0)
	f("now-0m", 0)
	f("now--9m", 0)
	f("now-+9m", 0)
	f("now- 9m", 0)
	f("now+9m", 0)
	f("now-1.5h", 0)
	f("now-1_0m", 0)
	f("now-9m/m", 0)
	f("now-1h-9m", 0)
	f("now-1M", 0)
	f("now-1y", 0)
	f("NOW-9m", 0)
	f("9m", 0)
	f("2026-01-01", 0)
	f("now-15251w", 0) // more than a time.Duration holds
	f("now-99999999999999999999s", 0)
}
