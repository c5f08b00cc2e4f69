package main

import (
	"io"
	"log/slog"

	"esrule/internal/config"
)

// newLogger returns the program's logger. Times are UTC, as all bounds and ledgers are, so that
// the lines of instances in several zones can be laid beside each other.
func newLogger(w io.Writer, format config.LogFormat, level slog.Level) *slog.Logger {
	options := &slog.HandlerOptions{Level: level, ReplaceAttr: readable}
	switch format {
	case config.LogJSON:
		return slog.New(slog.NewJSONHandler(w, options))
	case config.LogText:
		return slog.New(slog.NewTextHandler(w, options))
	}
	panic("unknown log format " + string(format)) // the configuration accepts no other
}

// readable writes times in UTC and durations as text with a unit ("5m0s"), in both formats: slog's
// JSON has bare nanoseconds.
func readable(_ []string, attr slog.Attr) slog.Attr {
	switch attr.Value.Kind() {
	case slog.KindTime:
		attr.Value = slog.TimeValue(attr.Value.Time().UTC())
	case slog.KindDuration:
		attr.Value = slog.StringValue(attr.Value.Duration().String())
	}
	return attr
}
