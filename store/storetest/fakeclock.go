package storetest

import (
	"sync"
	"time"
)

// start is where the clock of a check begins: not in UTC, within a second and
// within a millisecond, so that a store which keeps any of that shows it. It is
// far ahead, or a database that expires rows by a clock of its own would do so.
var start = time.Date(2051, time.March, 4, 23, 6, 7, 891_234_567, time.FixedZone("", -5*3600))

// A clock stands still until a check moves it.
type clock struct {
	mu   sync.Mutex
	now  time.Time
	hook func() // called at each reading
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	now, hook := c.now, c.hook
	c.mu.Unlock()
	if hook != nil {
		hook()
	}
	return now
}

func (c *clock) set(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = now
}

func (c *clock) advance(d time.Duration) { c.set(c.Now().Add(d)) }

func (c *clock) onReading(hook func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.hook = hook
}
