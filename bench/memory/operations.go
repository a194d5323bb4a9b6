package memory

import (
	"context"
	"slices"

	"github.com/devicetokens/devicetokens/tokens"
)

// An Operation is a call that is measured, on one registration of a workload
// after another. A store is after Undo as it was before Call.
type Operation struct {
	Name string
	Args func(w Workload, n int) Args // of the n-th call
	Call func(Store, Args) error
	Undo func(Store, Args) error // nil if there is nothing to undo
}

// Args are the arguments of a call, and how things were before it.
type Args struct {
	Request tokens.Request
	Before  tokens.Request    // zero if nothing was there
	Devices []tokens.DeviceID // of the user, in order
}

// Operations returns all that are measured.
func Operations() []Operation {
	return []Operation{
		{"refresh", home, register, nil},
		{"get", home, get, nil},
		{"list", homeWithDevices, list, nil},
		{"new", fresh, register, erase},
		{"replace", changed(Workload.replaced), register, restore},
		{"move", changed(Workload.moved), register, restore},
	}
}

func home(w Workload, n int) Args { return Args{Request: w.Request(w.scattered(n))} }

func homeWithDevices(w Workload, n int) Args {
	args := home(w, n)
	first := w.scattered(n) / w.Devices * w.Devices
	for i := range w.Devices {
		args.Devices = append(args.Devices, w.Request(first+i).Key.DeviceID)
	}
	slices.Sort(args.Devices)
	return args
}

// fresh is a registration more than there are, of a user who is not there either.
func fresh(w Workload, n int) Args {
	return Args{Request: Workload{w.Registrations, 1}.moved(w.Registrations + n)}
}

func changed(how func(Workload, int) tokens.Request) func(Workload, int) Args {
	return func(w Workload, n int) Args {
		i := w.scattered(n)
		return Args{Request: how(w, i), Before: w.Request(i)}
	}
}

func register(s Store, a Args) error {
	_, err := s.Register(context.Background(), a.Request)
	return err
}

func get(s Store, a Args) error {
	_, err := s.Get(context.Background(), a.Request.Key)
	return err
}

func list(s Store, a Args) error {
	_, err := s.List(context.Background(), a.Request.Key.UserID, a.Devices)
	return err
}

func erase(s Store, a Args) error { return s.Delete(context.Background(), a.Request.Key) }

func restore(s Store, a Args) error {
	_, err := s.Register(context.Background(), a.Before)
	return err
}
