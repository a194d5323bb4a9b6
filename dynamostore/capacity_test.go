package dynamostore_test

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/devicetokens/devicetokens/internal/dynamotest"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

const accessPatterns = "../docs/infra/device-token-access-patterns.md"

// TestPatternCosts holds the costs in the document of the access patterns to
// what TestCosts counts.
func TestPatternCosts(t *testing.T) {
	generatedRegion(t, accessPatterns, "costs", patternCosts())
}

// TestCapacity holds the document's capacity and monthly cost to the counted
// units and the measured sizes.
func TestCapacity(t *testing.T) {
	generatedRegion(t, accessPatterns, "capacity", capacity(t, itemSizes(t)))
}

func patternCosts() string {
	var b strings.Builder
	b.WriteString("| path | W | R |\n| --- | ---: | ---: |\n")
	for _, p := range paths() {
		w, r := totals(p.calls)
		fmt.Fprintf(&b, "| %s | %s | %s |\n", p.name, w, r)
	}
	return b.String()
}

func pathNamed(t *testing.T, name string) path {
	t.Helper()
	for _, p := range paths() {
		if p.name == name {
			return p
		}
	}
	t.Fatalf("no path %q", name)
	return path{}
}

// units are what the calls of a path take together.
func (p path) units(t *testing.T) (writes, reads float64) {
	t.Helper()
	add := func(list string) (sum float64) {
		for term := range strings.SplitSeq(list, " + ") {
			if term == "" {
				continue
			}
			n, err := strconv.ParseFloat(term, 64)
			if err != nil {
				t.Fatal(err)
			}
			sum += n
		}
		return sum
	}
	w, r := totals(p.calls)
	return add(w), add(r)
}

// The assumptions. A month has 30 days.
const (
	days           = 30.0
	devicesPerUser = 2.0
	launchesPerDay = 3.0  // of a device, each of which registers
	peakFactor     = 10.0 // the busiest second, against the average one
	throttle       = 50.0 // requests a second that the API admits of each method; infrastructure.TestCapacityKnowsTheThrottle holds it to the plan
)

// habits are the calls for a device in a month, on average. The first are its launches
// without those that another habit counts.
var habits = []struct {
	path     string
	perMonth float64
	method   string // of the API; "" if it does not come in that way, but from a sender or an operator
}{
	{"Register, the same token", launchesPerDay*days - days/29 - 0.05 - 0.01 - 0.03, "POST"},
	{"Register, the same token, once in 29 days", days / 29, "POST"},
	{"Register, new", 0.05, "POST"},
	{"Register, moves to a new device", 0.01, "POST"}, // the phone changes hands
	{"Register, another token", 0.03, "POST"},
	{"Get", 0.3, "GET"},
	{"List", 2 * days / devicesPerUser, ""}, // two messages a day to a user
	{"Deactivate", 0.05, "DELETE"},
	{"Delete", 0.005, "DELETE"},
	{"Invalidate", 0.03, ""},
	{"DeleteUser, three registrations", 0.005 / devicesPerUser, ""},
	{"Holder", 0.01, ""},
}

// Prices of us-east-1 in US dollars, on demand, table class Standard, as of
// November 2026 (aws.amazon.com/dynamodb/pricing/on-demand and
// aws.amazon.com/api-gateway/pricing).
const (
	pricePerWrite     = 0.625e-6
	pricePerRead      = 0.125e-6
	pricePerGB        = 0.25 // a month, after the first 25
	freeGB            = 25.0
	pricePerGBPITR    = 0.20
	overheadOfAnItem  = 100 // bytes that are billed besides
	bytesPerGB        = 1e9
	secondsPerMonth   = days * 24 * 60 * 60
	restFirst         = 333e6
	restNext          = 667e6
	priceRestFirst    = 3.50e-6
	priceRestNext     = 2.80e-6
	priceRestFurther  = 2.38e-6
	onDemandNewWrites = 4000 // a second, that a new table sustains
)

// sizes are those of a usual registration and its claim, in bytes.
type sizes struct{ registration, claim int }

// itemSizes measures the stored data for ids that are UUIDs and a token as Expo
// issues them.
func itemSizes(t *testing.T) sizes {
	t.Helper()
	w := newWorld(t, store.Policy{})
	_, err := w.clean.Register(t.Context(), tokens.Request{
		Key:       tokens.Key{UserID: "7c9e6679-7425-40de-944b-e07fc1f90ae7", DeviceID: "00000000-1B4E-4C3D-9A5F-6E7D8C9B0A1F"},
		Token:     tokenA,
		Platform:  tokens.Android,
		ProjectID: "0f9a3b52-6f5e-4b8e-9d0c-2f6f1f1c6d2e",
	})
	w.do(err)
	w.look()
	var s sizes
	for _, i := range w.items {
		if strings.HasPrefix(text(i, "userId"), "#") {
			s.claim = dynamotest.ItemSize(i)
		} else {
			s.registration = dynamotest.ItemSize(i)
		}
	}
	if s.claim == 0 || s.registration == 0 {
		t.Fatalf("got sizes %+v", s)
	}
	return s
}

// capacity renders what a device takes in a month, and from that what users do.
func capacity(t *testing.T, s sizes) string {
	t.Helper()
	var (
		b                             strings.Builder
		writes, reads, posts, traffic float64 // of a device in a month
	)
	for _, h := range habits {
		w, r := pathNamed(t, h.path).units(t)
		writes += w * h.perMonth
		reads += r * h.perMonth
		if h.method != "" {
			traffic += h.perMonth
		}
		if h.method == "POST" {
			posts += h.perMonth
		}
	}
	stored := float64(s.registration + s.claim + 2*overheadOfAnItem)
	fmt.Fprintf(&b, "In a month a device takes %.1f W and %.1f R, and makes %.1f requests to the API. It stores %d bytes in its registration and\n"+
		"%d in its claim, and is billed for %d bytes more with each item.\n\n", writes, reads, traffic, s.registration, s.claim, overheadOfAnItem)

	scales := []float64{10_000, 10_000_000}
	row := func(what string, figure func(devices float64) string) {
		fmt.Fprintf(&b, "| %s |", what)
		for _, users := range scales {
			fmt.Fprintf(&b, " %s |", figure(users*devicesPerUser))
		}
		b.WriteString("\n")
	}
	dollars := func(x float64) string { return "$" + grouped(x, 2) }
	gigabytes := func(devices float64) float64 { return devices * stored / bytesPerGB }
	storage := func(devices float64) float64 { return max(0, gigabytes(devices)-freeGB) * pricePerGB }
	backup := func(devices float64) float64 { return gigabytes(devices) * pricePerGBPITR }
	perSecond := func(perDevice float64) func(float64) string {
		return func(devices float64) string {
			average := devices * perDevice / secondsPerMonth
			return fmt.Sprintf("%s, %s at the peak", grouped(average, 1), grouped(average*peakFactor, 0))
		}
	}

	b.WriteString("| |")
	for _, users := range scales {
		fmt.Fprintf(&b, " %s users, %s devices |", grouped(users, 0), grouped(users*devicesPerUser, 0))
	}
	b.WriteString("\n| --- | ---: | ---: |\n")
	row("write units a second", perSecond(writes))
	row("read units a second", perSecond(reads))
	row("POST requests to the API a second", perSecond(posts))
	row("stored", func(d float64) string { return grouped(gigabytes(d), 2) + " GB" })
	row("writes", func(d float64) string { return dollars(d * writes * pricePerWrite) })
	row("reads", func(d float64) string { return dollars(d * reads * pricePerRead) })
	row("storage", func(d float64) string { return dollars(storage(d)) })
	row("point-in-time recovery", func(d float64) string { return dollars(backup(d)) })
	row("**the table, a month**", func(d float64) string {
		return "**" + dollars(d*(writes*pricePerWrite+reads*pricePerRead)+storage(d)+backup(d)) + "**"
	})
	row("for comparison: the REST API's requests", func(d float64) string { return dollars(restPrice(d * traffic)) })

	// Devices at which a rate that is proportional to them reaches a bound.
	reaches := func(bound, perDevice float64) string {
		devices := bound / (perDevice / secondsPerMonth * peakFactor)
		return grouped(roundTo(devices/devicesPerUser, 2), 0)
	}
	fmt.Fprintf(&b, "\nThe API's throttle, %.0f requests a second for each method, must grow before there are %s users: there the peak of\n"+
		"POST reaches it. At 10 million users it has to be %s. A new on-demand table sustains %s write units a second at once, which\n"+
		"is the peak of %s users: for more than that from the first day, raise its warm throughput before.\n",
		throttle, reaches(throttle, posts),
		grouped(roundUpTo(10_000_000*devicesPerUser*posts/secondsPerMonth*peakFactor, 2), 0),
		grouped(onDemandNewWrites, 0), reaches(onDemandNewWrites, writes))
	return b.String()
}

// restPrice is what API Gateway takes for the requests of a month to a REST API.
func restPrice(requests float64) float64 {
	first := min(requests, restFirst)
	next := min(requests-first, restNext)
	return first*priceRestFirst + next*priceRestNext + (requests-first-next)*priceRestFurther
}

// roundTo rounds to so many significant digits, roundUpTo upwards.
func roundTo(x float64, digits int) float64 {
	unit := math.Pow(10, math.Floor(math.Log10(x))+1-float64(digits))
	return math.Round(x/unit) * unit
}

func roundUpTo(x float64, digits int) float64 {
	unit := math.Pow(10, math.Floor(math.Log10(x))+1-float64(digits))
	return math.Ceil(x/unit) * unit
}

// grouped writes a number with so many decimals and its thousands apart.
func grouped(x float64, decimals int) string {
	whole, fraction, _ := strings.Cut(strconv.FormatFloat(x, 'f', decimals, 64), ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if fraction != "" {
		fraction = "." + fraction
	}
	return whole + fraction
}
