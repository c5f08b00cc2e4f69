package main

import (
	"bytes"
	"log/slog"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"esrule/internal/config"
)

func TestLogger(t *testing.T) {
	tokyo := time.Date(2026, 3, 1, 21, 0, 0, 0, time.FixedZone("JST", 9*60*60))
	f := func(format config.LogFormat, least, level slog.Level, want string) {
		t.Helper()
		var out bytes.Buffer
		handler := newLogger(&out, format, least).Handler()
		if handler.Enabled(t.Context(), level) {
			record := slog.NewRecord(tokyo, level, "searched", 0)
			record.Add("to", tokyo, "pause", 90*time.Second)
			if err := handler.Handle(t.Context(), record); err != nil {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff(want, out.String()); diff != "" {
			t.Errorf("%s at %s in a log from %s on (-want +got):\n%s", format, level, least, diff)
		}
	}
	const text = "time=2026-03-01T12:00:00.000Z level=INFO msg=searched " +
		"to=2026-03-01T12:00:00.000Z pause=1m30s\n"
	f(config.LogText, slog.LevelInfo, slog.LevelInfo, text)
	f(config.LogText, slog.LevelDebug, slog.LevelInfo, text)
	f(config.LogText, slog.LevelWarn, slog.LevelInfo, "")
	f(config.LogJSON, slog.LevelInfo, slog.LevelWarn,
		`{"time":"2026-03-01T12:00:00Z","level":"WARN","msg":"searched","to":"2026-03-01T12:00:00Z","pause":"1m30s"}`+"\n")
	f(config.LogJSON, slog.LevelError, slog.LevelWarn, "")
}
