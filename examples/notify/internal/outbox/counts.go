package outbox

// Counts is what a job has done. Except for the first two, the unit is a
// message for one device.
type Counts struct {
	Users        int            // read from the list
	InvalidUsers int            // lines that are no user id
	Planned      int            // put into the outbox
	Dropped      int            // not sent: the device was no longer the user's when its turn came
	Accepted     int            // Expo gave a ticket
	Delivered    int            // Apple or Google took it, as a receipt says
	NoReceipt    int            // Expo had no receipt within a day
	Unregistered int            // DeviceNotRegistered, in a ticket or a receipt
	Invalidated  int            // of these, how many registrations were told to the store
	Kept         int            // of these, how many held another token by then
	Failed       map[string]int // other errors, by Expo's code
}

func (c *Counts) add(more Counts) {
	c.Users += more.Users
	c.InvalidUsers += more.InvalidUsers
	c.Planned += more.Planned
	c.Dropped += more.Dropped
	c.Accepted += more.Accepted
	c.Delivered += more.Delivered
	c.NoReceipt += more.NoReceipt
	c.Unregistered += more.Unregistered
	c.Invalidated += more.Invalidated
	c.Kept += more.Kept
	for code, n := range more.Failed {
		c.fail(code, n)
	}
}

func (c *Counts) fail(code string, n int) {
	if c.Failed == nil {
		c.Failed = map[string]int{}
	}
	c.Failed[code] += n
}

// Fail counts a message that failed with a code of Expo's.
func (c *Counts) Fail(code string) { c.fail(code, 1) }
