package schedule

import (
	"context"
	"log/slog"

	"github.com/robfig/cron/v3"
)

// Poll calls run at once and then on the timetable, one run at a time: a run that lasts beyond the
// next moment lets that moment pass. It returns when ctx ends and the run under way, which gets the
// same ctx, has returned.
func Poll(ctx context.Context, timetable cron.Schedule, log *slog.Logger,
	run func(context.Context)) {
	logger := cronLogger{log}
	c := cron.New(cron.WithLogger(logger), cron.WithChain(cron.SkipIfStillRunning(logger)))
	c.Schedule(timetable, cron.FuncJob(func() { run(ctx) }))
	run(ctx)
	c.Start()
	<-ctx.Done()
	<-c.Stop().Done()
}

// cronLogger passes on what cron says. Its notes on each wake-up are of no interest to an operator;
// a skipped run is.
type cronLogger struct{ log *slog.Logger }

func (l cronLogger) Info(message string, keysAndValues ...any) {
	if message == "skip" {
		l.log.Warn("the run before is still under way: this one is skipped; the next covers its time too")
		return
	}
	l.log.Debug("cron: "+message, keysAndValues...)
}

func (l cronLogger) Error(err error, message string, keysAndValues ...any) {
	l.log.Error("cron: "+message, append(keysAndValues, "error", err)...)
}
