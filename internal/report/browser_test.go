package report_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// browser starts a headless Chromium for one test, with a page of that size.
func browser(t *testing.T, wide, high int) context.Context {
	t.Helper()
	if testing.Short() {
		t.Skip("needs Chromium; -short is set")
	}
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome",
		"google-chrome-stable"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		t.Fatal("no Chromium on the PATH: install it (Debian and Ubuntu: apt-get install " +
			"chromium), or run with -short")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path),
		chromedp.WindowSize(wide, high), chromedp.UserDataDir(t.TempDir()))
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox) // Chromium's own sandbox refuses root
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	t.Cleanup(cancel)
	ctx, end := chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(end)
	ctx, shut := chromedp.NewContext(ctx)
	t.Cleanup(func() {
		_ = chromedp.Cancel(ctx) // waits, so that the folder of the browser can be removed
		shut()
	})
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("start %s: %v", path, err)
	}
	return ctx
}

// do runs actions on the page.
func do(t *testing.T, ctx context.Context, actions ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(ctx, actions...); err != nil {
		t.Fatal(err)
	}
}

// open shows a report and waits until its script is through.
func open(t *testing.T, ctx context.Context, path string) {
	t.Helper()
	do(t, ctx, chromedp.Navigate("file://"+path),
		chromedp.WaitReady(chromedp.CSS(`html[data-ready]`)))
}

// ask gives what an expression is on the page.
func ask[T any](t *testing.T, ctx context.Context, expression string) T {
	t.Helper()
	got, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		t.Fatalf("%s: %v", expression, err)
	}
	return got
}

// call sends a command of the protocol.
func call[P, R any](t *testing.T, ctx context.Context, command cdp.Command[P, R], params P) R {
	t.Helper()
	got, err := chromedp.Call(ctx, command, params)
	if err != nil {
		t.Fatalf("%s: %v", command.Method, err)
	}
	return got
}

// look sets the size of the page and whether it is to be dark or light.
func look(t *testing.T, ctx context.Context, scheme string, wide, high int64) {
	t.Helper()
	call(t, ctx, emulation.SetDeviceMetricsOverride,
		emulation.SetDeviceMetricsOverrideParams{Width: wide, Height: high, DeviceScaleFactor: 1})
	call(t, ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	})
}

// watch notes what a page does that a report must not do.
type watch struct {
	mu    sync.Mutex
	notes []string
}

// newWatch listens from now on. The domains of the protocol that it listens to are enabled by the
// caller.
func newWatch(ctx context.Context) *watch {
	w := &watch{}
	listen(ctx, w, network.RequestWillBeSent, func(e network.EventRequestWillBeSent) string {
		return "request " + e.Request.URL
	})
	listen(ctx, w, page.JavascriptDialogOpening, func(e page.EventJavascriptDialogOpening) string {
		// A dialog that stays open would hold up the test instead of failing it.
		_, _ = chromedp.Call(ctx, page.HandleJavaScriptDialog,
			page.HandleJavaScriptDialogParams{Accept: true})
		return "dialog " + e.Message
	})
	listen(ctx, w, runtime.ExceptionThrown, func(e runtime.EventExceptionThrown) string {
		return fmt.Sprintf("exception %+v", e.ExceptionDetails)
	})
	listen(ctx, w, log.EntryAdded, func(e log.EventEntryAdded) string {
		return "log " + e.Entry.Text
	})
	return w
}

func listen[E any](ctx context.Context, w *watch, what cdp.Event[E], say func(E) string) {
	events := chromedp.Events(ctx, what)
	go func() {
		for e, err := range events {
			if err != nil {
				return
			}
			w.mu.Lock()
			w.notes = append(w.notes, say(e))
			w.mu.Unlock()
		}
	}()
}

// check fails for anything but the request of the page itself, which has to be there.
func (w *watch) check(t *testing.T, address string) {
	t.Helper()
	time.Sleep(300 * time.Millisecond) // for what is under way
	w.mu.Lock()
	defer w.mu.Unlock()
	seen := false
	for _, note := range w.notes {
		if note == "request "+address {
			seen = true
		} else {
			t.Errorf("the page did: %.300s", note)
		}
	}
	if !seen {
		t.Error("the request of the page itself was not noted: nothing was listened to")
	}
}

// words is a text of the accessibility tree.
func words(value []byte) string {
	var s string
	_ = json.Unmarshal(value, &s)
	return strings.Join(strings.Fields(s), " ")
}
