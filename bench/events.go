package bench

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

// generation is part of the index's name: raise it when the events change, so that no old ones are
// measured.
const generation = 1

// The events lie within one day, in the order of their time but for what their sources are late.
const day = 24 * time.Hour

func firstDay() time.Time { return time.Date(2026, time.March, 3, 0, 0, 0, 0, time.UTC) }

// generator makes file events as the hosts of a company with a few Exchange servers record them.
// The same seed gives the same events.
type generator struct {
	random *rand.Rand
	events int
	next   int
	draw   func() activity
	begin  time.Time // of the time over which the events are spread
	over   time.Duration
}

func newGenerator(seed uint64, events int) *generator {
	g := &generator{random: rand.New(rand.NewPCG(seed, uint64(events))), events: events,
		begin: firstDay(), over: day}
	g.draw = g.activity
	return g
}

// newCandidates makes events of which every one passes the shipped rule's pre-filter, and one of so
// many matches the rule.
func newCandidates(seed uint64, events, oneOf int) *generator {
	g := newGenerator(seed, events)
	g.draw = func() activity {
		a := activity{
			os: "windows", process: g.pick("UMWorkerProcess.exe", "umservice.exe"),
			types:     []string{"creation"},
			directory: exchange + `\UnifiedMessaging\WebService`,
		}
		if g.next%oneOf == 0 {
			a.directory = exchange + `\FrontEnd\HttpProxy\owa\auth`
		}
		a.setName(g.hex(12), g.pick("aspx", "ASPX", "js", "php"))
		return a
	}
	return g
}

// event gives the next event's JSON.
func (g *generator) event() ([]byte, error) {
	at := g.begin.Add(time.Duration(float64(g.over) * float64(g.next) / float64(g.events)))
	g.next++
	e := g.draw()
	host := g.host(e.os)
	user := fmt.Sprintf("user%04d", g.random.IntN(3000))
	pid := g.random.IntN(30000)
	document := map[string]any{
		"@timestamp": at.Add(-time.Duration(g.random.IntN(3000)) * time.Millisecond).Format(
			timeFormat),
		"agent": map[string]any{"id": host + "-agent", "name": host, "type": "winlogbeat",
			"version": "8.19.13"},
		"ecs":   map[string]any{"version": "8.11.0"},
		"event": g.eventFields(e, at),
		"file": map[string]any{
			"path": e.path(), "directory": e.directory, "name": e.name, "extension": e.extension,
		},
		"host": map[string]any{"name": host, "id": host + "-id",
			"os": map[string]any{"type": e.os, "family": e.os}},
		"process": map[string]any{
			"name": e.process, "pid": pid, "entity_id": g.hex(24),
			"executable": `C:\Program Files\` + e.process,
		},
		"user": map[string]any{"name": user, "domain": "CORP",
			"id": fmt.Sprintf("S-1-5-21-1004336348-1177238915-682003330-%d", g.random.IntN(3000))},
		"winlog": map[string]any{"channel": "Microsoft-Windows-Sysmon/Operational",
			"computer_name": host, "record_id": fmt.Sprint(g.next)},
		"message": "File created: " + e.name,
	}
	return json.Marshal(document)
}

const timeFormat = "2006-01-02T15:04:05.000Z"

// eventFields are the fields below event. One source of fifty sends no event.ingested.
func (g *generator) eventFields(e activity, at time.Time) map[string]any {
	fields := map[string]any{
		"category": []string{"file"}, "type": e.types, "kind": "event", "code": "11",
		"action": "file-" + e.types[0],
		"module": "sysmon", "provider": "Microsoft-Windows-Sysmon", "id": g.hex(20),
	}
	if g.random.IntN(50) > 0 {
		fields["ingested"] = at.Add(time.Duration(g.random.IntN(5000)) * time.Millisecond).Format(
			timeFormat)
	}
	return fields
}

// activity is what a process does to a file.
type activity struct {
	os, process                string
	types                      []string
	directory, name, extension string
}

func (a activity) path() string {
	if a.os == "windows" {
		return a.directory + `\` + a.name
	}
	return a.directory + "/" + a.name
}

// activity draws one. Of 10,000 events, 20 are of Exchange's Unified Messaging service, 20 of
// Exchange's setup, which writes into the same folders; 200 happen on hosts without Windows.
func (g *generator) activity() activity {
	switch n := g.random.IntN(10_000); {
	case n < 20:
		return g.unifiedMessaging()
	case n < 40:
		return g.exchangeSetup()
	case n < 240:
		return g.unix()
	}
	return g.windows()
}

func (g *generator) windows() activity {
	a := activity{os: "windows", process: g.process(), types: g.types(), directory: g.directory()}
	a.setName(g.word()+"_"+g.hex(8), g.extension())
	if g.random.IntN(5000) == 0 { // longer than the index takes
		a.directory += strings.Repeat(`\`+g.hex(12), 90)
	}
	return a
}

func (g *generator) unix() activity {
	a := activity{os: g.pick("linux", "linux", "macos"),
		process: g.pick("bash", "dockerd", "sshd", "rsync", "dpkg"), types: g.types(),
		directory: "/var/lib/" + g.word() + "/" + g.hex(12)}
	a.setName(g.word()+"-"+g.hex(6), g.pick("log", "tmp", "json", "so"))
	return a
}

// unifiedMessaging is mostly the service's daily work. A quarter of it touches files of a kind that
// the rule asks for, most of these in places where it does no harm.
func (g *generator) unifiedMessaging() activity {
	a := activity{os: "windows", process: g.pick("UMWorkerProcess.exe", "UMWorkerProcess.exe",
		"umservice.exe", "UMWORKERPROCESS.EXE"), types: g.types()}
	if g.random.IntN(4) > 0 {
		a.directory = exchange + `\UnifiedMessaging\` + g.pick("voicemail", "temp", "badvoicemail")
		a.setName(g.hex(16), g.pick("wav", "wma", "txt", "tmp", "eml"))
		return a
	}
	a.directory = g.pick(
		exchange+`\UnifiedMessaging\WebService`,
		exchange+`\UnifiedMessaging\grammars`,
		exchange+`\FrontEnd\HttpProxy\owa\auth`,
		exchange+`\FrontEnd\HttpProxy\owa\auth\15.2.792`,
		exchange+`\FrontEnd\HttpProxy\owa\auth\version\scripts`,
		exchange+`\FrontEnd\HttpProxy\ecp\auth`,
		`C:\inetpub\wwwroot\aspnet_client\system_web`,
	)
	a.setName(g.pick("logon", "signout", "TimeoutLogoff", "web", g.hex(6)),
		g.pick("aspx", "aspx", "ASPX", "js", "asmx", "php"))
	return a
}

// exchangeSetup is an update that writes into the folders which the rule watches.
func (g *generator) exchangeSetup() activity {
	a := activity{os: "windows", process: g.pick("msiexec.exe", "ExSetupUI.exe"), types: g.types()}
	a.directory = exchange + `\FrontEnd\HttpProxy\` + g.pick("owa", "ecp") + `\auth\15.2.` +
		fmt.Sprint(g.random.IntN(1500))
	a.setName(g.word()+g.hex(4), g.pick("aspx", "js", "css", "gif"))
	return a
}

const exchange = `C:\Program Files\Microsoft\Exchange Server\V15`

func (a *activity) setName(stem, extension string) {
	a.name, a.extension = stem+"."+extension, extension
}

func (g *generator) types() []string {
	switch n := g.random.IntN(100); {
	case n < 50:
		return []string{"creation"}
	case n < 75:
		return []string{"change"}
	case n < 90:
		return []string{"deletion"}
	}
	return []string{"access", "change"}
}

// process is one of a few that write most files, or one of some hundred others.
func (g *generator) process() string {
	if g.random.IntN(3) > 0 {
		return g.pick("svchost.exe", "MsMpEng.exe", "chrome.exe", "msedge.exe", "OneDrive.exe",
			"OUTLOOK.EXE", "Teams.exe",
			"explorer.exe", "w3wp.exe", "TrustedInstaller.exe", "SearchIndexer.exe",
			"EdgeTransport.exe", "System")
	}
	return fmt.Sprintf("%s%02d.exe", g.word(), g.random.IntN(15))
}

// directory is in most cases one of its own.
func (g *generator) directory() string {
	users := `C:\Users\user` + fmt.Sprintf("%04d", g.random.IntN(3000))
	switch g.random.IntN(8) {
	case 0:
		return users + `\AppData\Local\Temp\` + g.hex(8)
	case 1:
		return users + `\AppData\Local\Microsoft\Edge\User Data\Default\Cache\` + g.hex(16)
	case 2:
		return users + `\AppData\Roaming\` + g.word() + `\` + g.word() + `\` + g.hex(6)
	case 3:
		return `C:\Windows\WinSxS\amd64_` + g.word() + `-` + g.word() +
			`_31bf3856ad364e35_10.0.17763.` + fmt.Sprint(g.random.IntN(5000)) + `_none_` + g.hex(16)
	case 4:
		return `C:\ProgramData\Microsoft\Windows Defender\Scans\History\` + g.hex(32)
	case 5:
		return exchange + `\TransportRoles\data\` + g.pick("Queue", "IpFilter", "Temp") + `\` +
			g.hex(10)
	case 6:
		return g.pick("D", "E", "F") + `:\shares\` + g.word() + `\` + g.word() + `\` +
			g.word() + g.hex(4)
	}
	return `C:\Windows\` + g.pick("Temp", "Prefetch", `System32\config`, "SoftwareDistribution") +
		`\` + g.hex(8)
}

// extension is that of web pages in few cases; one of a hundred is made up by the program that
// writes the file.
func (g *generator) extension() string {
	switch n := g.random.IntN(100); {
	case n == 0:
		return g.hex(6)
	case n < 6:
		return g.pick("js", "js", "js", "php", "aspx", "jsp")
	}
	return g.pick("log", "log", "tmp", "tmp", "dll", "exe", "txt", "json", "xml", "dat", "etl",
		"pf", "mui", "cat", "manifest",
		"docx", "xlsx", "pdf", "png", "cab", "msi", "lnk", "ini", "db", "sqlite")
}

func (g *generator) host(os string) string {
	if os != "windows" {
		return fmt.Sprintf("srv-unix-%02d", g.random.IntN(40))
	}
	return fmt.Sprintf("WS-%04d", g.random.IntN(3000))
}

func (g *generator) word() string {
	return g.pick("alpha", "report", "cache", "index", "update", "sync", "media", "audit", "client",
		"policy", "driver", "print",
		"backup", "queue", "export", "vendor", "portal", "ledger", "notes", "sensor")
}

func (g *generator) pick(from ...string) string { return from[g.random.IntN(len(from))] }

// hex is a random part of a name.
func (g *generator) hex(digits int) string {
	return fmt.Sprintf("%016x%016x", g.random.Uint64(), g.random.Uint64())[:digits]
}
