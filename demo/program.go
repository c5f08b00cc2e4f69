package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"esrule/internal/estest"
	"esrule/internal/schedule"
)

// program is the built esrule, as a user runs it.
type program struct {
	folder string
	file   string
	env    []string // with the configuration
}

// buildProgram compiles cmd/esrule into a folder of its own.
func buildProgram(ctx context.Context, out io.Writer) (*program, error) {
	fmt.Fprintln(out, "Building esrule")
	folder, err := os.MkdirTemp("", "esrule-demo-")
	if err != nil {
		return nil, err
	}
	p := &program{folder: folder}
	// Without the stamp, for which go build asks git, and git refuses in another user's checkout.
	if p.file, err = estest.BuildProgram(ctx, folder, "-buildvcs=false"); err != nil {
		p.remove()
		return nil, err
	}
	return p, nil
}

// environment is the user's own without its ESRULE_ variables, which are meant for another cluster,
// and with the stage's.
func environment(s *stage) []string {
	var env []string
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "ESRULE_") {
			env = append(env, variable)
		}
	}
	if s.server.Username != "" {
		env = append(env, "ESRULE_ELASTICSEARCH_USERNAME="+s.server.Username,
			"ESRULE_ELASTICSEARCH_PASSWORD="+s.server.Password)
	}
	return append(env, settings(s)...)
}

// settings are the variables that point esrule at the stage, without credentials.
func settings(s *stage) []string {
	list := []string{"ESRULE_ELASTICSEARCH_URL=" + s.server.URL}
	if s.prefix != "" {
		list = append(list,
			"ESRULE_INDEX="+strings.Join(s.patterns, ","),
			"ESRULE_SIGNALS_INDEX="+s.signalsIndex(),
			"ESRULE_STATE_INDEX="+s.stateIndex(),
			"ESRULE_DEAD_LETTER_INDEX="+s.deadLetterIndex())
	}
	return list
}

func (p *program) remove() { _ = os.RemoveAll(p.folder) }

// outcome is what one run came to, by the program's own account.
type outcome struct {
	schedule.Run
	took time.Duration
}

// runOnce runs `esrule run --once` and asks `esrule status` what it came to.
func (p *program) runOnce(ctx context.Context) (outcome, error) {
	start := time.Now()
	if _, err := p.command(ctx, "run", "--once"); err != nil {
		return outcome{}, err
	}
	o := outcome{took: since(start)}
	answer, err := p.command(ctx, "status", "--format", "json")
	if err != nil {
		return outcome{}, err
	}
	var status struct {
		Rules []struct {
			LastRun *schedule.Run `json:"last_run"`
		}
	}
	if err := json.Unmarshal(answer, &status); err != nil {
		return outcome{}, fmt.Errorf("read what esrule status says: %w", err)
	}
	if len(status.Rules) != 1 || status.Rules[0].LastRun == nil {
		return outcome{}, fmt.Errorf("esrule status names no run of one rule: %s", answer)
	}
	o.Run = *status.Rules[0].LastRun
	return o, nil
}

// command runs esrule and gives its standard output; standard error is for when it fails.
func (p *program) command(ctx context.Context, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, p.file, args...)
	cmd.Env = p.env
	var output, log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &log
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("esrule %s: %w\n%s", strings.Join(args, " "), err, log.Bytes())
	}
	return output.Bytes(), nil
}
