package scan

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
)

// job is a chunk with the promise of its outcome, or the end of an input at its place in the order,
// with an error or without.
type job struct {
	input int // its place among the inputs
	chunk chunk
	done  chan judged // holds one
	err   error
}

// reader cuts the inputs into jobs. Whichever worker is free reads the next one, into a buffer of
// its own, and judges it while the text is still in its core's cache; meanwhile the job stands in
// line for its turn.
type reader struct {
	inputs  []Input
	inOrder chan *job // closed behind the last

	turn   sync.Mutex // guards what follows
	begun  int        // how many inputs
	file   io.Closer
	chunks *chunker // of file, the last input that was begun; nil between two
	ended  bool
}

// next gives the next chunk, nil where there is none. Its error is the context's.
func (r *reader) next(ctx context.Context, buffer []byte) (*job, error) {
	r.turn.Lock()
	defer r.turn.Unlock()
	for r.chunks != nil || r.begun < len(r.inputs) {
		if r.chunks == nil {
			if err := r.open(); err != nil {
				if over := r.endInput(ctx, err); over != nil {
					return nil, over
				}
				continue
			}
		}
		k, err := r.chunks.next(buffer)
		if errors.Is(err, io.EOF) {
			if over := r.endInput(ctx, nil); over != nil {
				return nil, over
			}
			continue
		}
		j := &job{input: r.begun - 1, chunk: k, done: make(chan judged, 1)}
		if over := r.enqueue(ctx, j); over != nil {
			return nil, over
		}
		if err != nil {
			if _, isRead := errors.AsType[*PartialError](err); !isRead {
				err = fmt.Errorf("breaks off at line %d: %w", r.chunks.line, err)
			}
			return j, r.endInput(ctx, err)
		}
		return j, nil
	}
	if !r.ended {
		r.ended = true
		close(r.inOrder)
	}
	return nil, nil
}

// open begins the next of the inputs.
func (r *reader) open() error {
	input := r.inputs[r.begun]
	r.begun++
	file, err := input.Open()
	if err != nil {
		return err
	}
	from, err := opened(file)
	if err != nil {
		file.Close()
		return err
	}
	r.file, r.chunks = file, &chunker{input: input.Name, from: from, line: 1}
	return nil
}

// endInput says that the last input that was begun is over.
func (r *reader) endInput(ctx context.Context, err error) error {
	r.close()
	at := r.begun - 1
	if err != nil {
		err = fmt.Errorf("%s: %w", r.inputs[at].Name, err)
	}
	return r.enqueue(ctx, &job{input: at, err: err})
}

// close closes the input that is open.
func (r *reader) close() {
	if r.chunks != nil {
		r.file.Close()
		r.chunks = nil
	}
}

func (r *reader) enqueue(ctx context.Context, j *job) error {
	select {
	case r.inOrder <- j:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
