package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/devicetokens/devicetokens/memstore"
	"github.com/devicetokens/devicetokens/store"
	"github.com/devicetokens/devicetokens/tokens"
)

// A scene is a few registrations that the calls of an [action] share. Scenes of
// different numbers have different users and tokens.
type scene int

func (s scene) user(name tokens.UserID) tokens.UserID {
	return name + tokens.UserID(fmt.Sprintf(" %d", s))
}

func (s scene) request(user tokens.UserID, device tokens.DeviceID, n int) tokens.Request {
	return request(s.user(user), device, token(10*int(s)+n))
}

// registered returns the requests that set the scene, a minute apart. alice has three
// devices, the limit, and the watch, which is logged out, is evicted first.
func (s scene) registered() []tokens.Request {
	return []tokens.Request{
		s.request(alice, phone, 1), s.request(alice, "tablet", 2), s.request(alice, "watch", 3),
		s.request(bob, phone, 4),
	}
}

// set makes the store hold the scene and nothing else of its users, an hour after start.
func (s scene) set(ctx context.Context, c *clock, to store.Store) error {
	var errs []error
	for _, user := range []tokens.UserID{alice, bob} {
		errs = append(errs, to.DeleteUser(ctx, s.user(user)))
	}
	for i, req := range s.registered() {
		c.set(start.Add(time.Duration(i) * time.Minute))
		_, err := to.Register(ctx, req)
		errs = append(errs, err)
	}
	errs = append(errs, to.Deactivate(ctx, key(s.user(alice), "watch")))
	c.set(start.Add(time.Hour))
	return errors.Join(errs...)
}

// An action is a call on a scene whose result is compared.
type action struct {
	name      string
	do        func(context.Context, store.Store) (answer string, err error)
	on        []tokens.Request // what the call reads or changes; without a token, the key alone
	erases    tokens.UserID    // by a DeleteUser
	registers bool             // the call is a Register
}

func (s scene) actions() []action {
	register := func(name string, user tokens.UserID, device tokens.DeviceID, n int, also ...tokens.Request) action {
		req := s.request(user, device, n)
		req.Platform, req.ProjectID = tokens.Android, ""
		return action{name: name, registers: true, on: append(also, req), do: func(ctx context.Context, to store.Store) (string, error) {
			result, err := to.Register(ctx, req)
			if err != nil {
				return "", err
			}
			return fmt.Sprintf("%s %s, moved from %v, evicted %v", result.Outcome, describe(result.Registration), result.MovedFrom, result.Evicted), nil
		}}
	}
	write := func(name string, user tokens.UserID, device tokens.DeviceID, do keyCall) action {
		k := key(s.user(user), device)
		return action{name: name, on: []tokens.Request{{Key: k}}, do: func(ctx context.Context, to store.Store) (string, error) {
			return "", do(k)(ctx, to)
		}}
	}
	deleteUser := func(name string, user tokens.UserID) action {
		return action{name: name, on: s.of(user), erases: s.user(user), do: func(ctx context.Context, to store.Store) (string, error) {
			return "", to.DeleteUser(ctx, s.user(user))
		}}
	}
	held := s.request(alice, phone, 1)
	sentAt := start.Add(30 * time.Minute) // after the registration, before now
	return []action{
		register("refresh", alice, phone, 1),
		register("refresh the tablet", alice, "tablet", 2),
		register("reactivate", alice, "watch", 3),
		register("replace", alice, phone, 5),
		register("take over", bob, "tablet", 1),
		register("take over with a known device", bob, phone, 1),
		register("take over with the other's token", alice, phone, 4),
		register("reinstall", alice, "tablet", 1),
		register("reinstall as new", alice, "laptop", 1),
		register("create", alice, "laptop", 6, s.of(alice)...),
		register("create with another token", alice, "laptop", 7, s.of(alice)...),
		register("create another", alice, "desktop", 8, s.of(alice)...),
		register("create elsewhere", bob, "laptop", 6),
		write("deactivate", alice, phone, deactivateCall),
		write("deactivate the other's", bob, phone, deactivateCall),
		write("invalidate", alice, phone, func(k tokens.Key) call { return invalidateCall(k, held.Token.Hash(), sentAt) }),
		write("delete", alice, phone, deleteCall),
		write("delete the watch", alice, "watch", deleteCall),
		deleteUser("delete the user", alice),
		deleteUser("delete the other user", bob),
		{name: "get", on: []tokens.Request{{Key: held.Key}}, do: func(ctx context.Context, to store.Store) (string, error) {
			return describeRead(to.Get(ctx, held.Key))
		}},
		{name: "holder", on: []tokens.Request{held}, do: func(ctx context.Context, to store.Store) (string, error) {
			return describeRead(to.Holder(ctx, held.Token.Hash()))
		}},
		{name: "list", on: s.of(alice), do: func(ctx context.Context, to store.Store) (string, error) {
			return describeList(to.List(ctx, s.user(alice)))
		}},
	}
}

func (s scene) recordActions() []action {
	imports := func(name string, user tokens.UserID, device tokens.DeviceID, n int, updatedAt time.Time, status tokens.Status) action {
		req := s.request(user, device, n)
		r := tokens.Registration{
			Key: req.Key, Token: req.Token, Platform: tokens.Android, Status: status,
			RegisteredAt: start.Add(-time.Hour), UpdatedAt: updatedAt, ExpiresAt: start.Add(24 * time.Hour),
		}
		return action{name: name, on: []tokens.Request{req}, do: func(ctx context.Context, to store.Store) (string, error) {
			outcome, err := store.Import(ctx, to, r)
			return string(outcome), err
		}}
	}
	lately := start.Add(59 * time.Minute) // after all registrations of the scene, before now
	return []action{
		imports("import", bob, "tablet", 1, lately, tokens.Active),
		imports("import with the other's token", alice, phone, 4, lately, tokens.Active),
		imports("import a log out", alice, phone, 1, start, tokens.LoggedOut),
		{name: "inspect", on: s.of(alice), do: func(ctx context.Context, to store.Store) (string, error) {
			records, err := store.Inspect(ctx, to, s.user(alice))
			return describeList(registrations(records), err)
		}},
	}
}

func (a action) writes() bool {
	return !slices.Contains([]string{"get", "holder", "list", "inspect"}, a.name)
}

func (a action) touches() []tokens.UserID {
	var users []tokens.UserID
	for _, req := range a.on {
		users = append(users, req.Key.UserID)
		for _, other := range scene(0).registered() {
			if !req.Token.IsZero() && other.Token.Equal(req.Token) {
				users = append(users, other.Key.UserID)
			}
		}
	}
	return users
}

func (s scene) of(user tokens.UserID) []tokens.Request {
	return slices.DeleteFunc(s.registered(), func(r tokens.Request) bool { return r.Key.UserID != s.user(user) })
}

func (s scene) action(name string) action {
	for _, a := range append(s.actions(), s.recordActions()...) {
		if a.name == name {
			return a
		}
	}
	panic("no action is named " + name)
}

// picture describes what Get, Holder and List return for the scene and the actions.
func (s scene) picture(ctx context.Context, from store.Store, actions ...action) (string, error) {
	reqs := s.registered()
	for _, a := range actions {
		reqs = append(reqs, a.on...)
	}
	var b strings.Builder
	var errs []error
	line := func(what, answer string, err error) {
		fmt.Fprintf(&b, "%s: %s\n", what, answer)
		errs = append(errs, err)
	}
	seen := map[any]bool{}
	for _, req := range reqs {
		if !seen[req.Key] {
			seen[req.Key] = true
			answer, err := describeRead(from.Get(ctx, req.Key))
			line(fmt.Sprintf("Get of %v", req.Key), answer, err)
		}
		if h := req.Token.Hash(); !req.Token.IsZero() && !seen[h] {
			seen[h] = true
			var answer string
			_, err := repeat(ctx, func(ctx context.Context) (err error) {
				answer, err = describeRead(from.Holder(ctx, h))
				return err
			})
			line("Holder of "+req.Token.Reveal(), answer, err)
		}
	}
	for _, user := range []tokens.UserID{alice, bob} {
		answer, err := describeList(from.List(ctx, s.user(user)))
		line("List of "+string(s.user(user)), answer, err)
	}
	return b.String(), errors.Join(errs...)
}

func describe(r tokens.Registration) string {
	return fmt.Sprintf("{%v has %s, %s %q, %s, registered %s, updated %s, expires %s}", r.Key, r.Token.Reveal(),
		r.Platform, r.ProjectID, r.Status, clockTime(r.RegisteredAt), clockTime(r.UpdatedAt), clockTime(r.ExpiresAt))
}

func clockTime(t time.Time) string { return t.Format(time.RFC3339Nano) }

func describeRead(r tokens.Registration, err error) (string, error) {
	switch {
	case errors.Is(err, store.ErrNotFound):
		return "not found", nil
	case err != nil:
		return "", err
	}
	return describe(r), nil
}

func describeList(regs []tokens.Registration, err error) (string, error) {
	var b strings.Builder
	for _, r := range regs {
		b.WriteString(describe(r))
	}
	return b.String(), err
}

// twin returns a memstore that holds the scene.
func (f *fixture) twin(s scene) *memstore.Store {
	f.Helper()
	twin := memstore.MustNew(f.policy)
	f.must(s.set(f.Context(), f.clock, twin), "memstore")
	return twin
}
