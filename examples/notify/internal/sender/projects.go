package sender

import (
	"fmt"
	"time"

	"github.com/devicetokens/devicetokens/examples/notify/internal/outbox"
)

// A project is the state of one Expo project during a run.
//
// A message that Expo refuses on its own is a suspect: it or its project is at fault. When
// Expo accepts a request of the project, the suspects so far are counted as failed. When
// mostSuspects are refused in a row, the project is given up: its messages are left for
// the next run, for which its credentials may be corrected.
//
// Batches contain users in random order. Otherwise an attacker with many devices next to
// each other on the list could make the whole project look refused.
type project struct {
	quota     string
	gate      *gate
	narrowing chan struct{} // full while a worker splits a refused request

	// Held by Sender.mu.
	takenAt  time.Time // when Expo last accepted a request
	suspects []suspect
	givenUp  string // why this run sends no more of its messages; "" if it does
}

type suspect struct {
	work *work
	code string
}

// The limit is higher if Expo has accepted a message of the project before, since many
// messages may then be at fault. A project that is given up wrongly loses nothing: the next
// run begins with the messages that this one did not try.
const (
	mostSuspects      = 8
	mostSuspectsTaken = 32
)

func (s *Sender) project(quota string) *project {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.projects[quota]
	if p == nil {
		p = &project{quota: quota, gate: newGate(s.o.PerSecond), narrowing: make(chan struct{}, 1)}
		s.projects[quota] = p
	}
	return p
}

// leave reports whether w is left for the next run, and records why.
func (s *Sender) leave(p *project, w *work) (bool, error) {
	s.mu.Lock()
	why := p.givenUp
	s.mu.Unlock()
	if why != "" {
		w.Left = why
		return true, s.outbox.Update(w.Batch, outbox.Counts{})
	}
	return s.isStopped(), nil
}

// accepted is called when Expo has accepted a request of p.
func (s *Sender) accepted(p *project) error {
	s.mu.Lock()
	p.takenAt = time.Now()
	suspects := p.suspects
	p.suspects = nil
	s.mu.Unlock()
	for _, one := range suspects {
		var done outbox.Counts
		done.Fail(one.code, len(one.work.Recipients))
		if err := s.outbox.Replace(one.work.Batch, nil, done); err != nil {
			return err
		}
	}
	return nil
}

// suspect is called when Expo refuses w, which cannot be split.
func (s *Sender) suspect(p *project, w *work, code string) error {
	taken, err := s.outbox.HasAccepted(p.quota)
	if err != nil {
		return err
	}
	most := mostSuspects
	if taken {
		most = mostSuspectsTaken
	}
	s.mu.Lock()
	p.suspects = append(p.suspects, suspect{w, code})
	enough := len(p.suspects) >= most
	s.mu.Unlock()
	if enough {
		return s.leaveSuspects(p)
	}
	return nil
}

// leaveSuspects gives up the project, which is at fault.
func (s *Sender) leaveSuspects(p *project) error {
	s.mu.Lock()
	suspects := p.suspects
	p.suspects = nil
	s.mu.Unlock()
	if len(suspects) == 0 {
		return nil
	}
	code := suspects[len(suspects)-1].code
	for _, one := range suspects {
		if err := s.postpone(one.work, one.code, part(one.work.Group, one.work.Recipients)); err != nil {
			return err
		}
	}
	s.giveUpProject(p, code, fmt.Errorf("project %q: %s: %w", p.quota, code, ErrRefused))
	return nil
}

func (s *Sender) giveUpProject(p *project, why string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p.givenUp == "" {
		p.givenUp = why
		s.o.Log.Warn("the messages of a project are left for the next run", "error", err)
		s.problems = append(s.problems, err)
	}
}

const noAnswer = "no answer"

// giveUp leaves w, whose retries have all failed, for the next run. It splits w into
// halves, so that a message that is at fault is alone after some runs. If Expo accepted
// no other request of the project meanwhile, giveUp gives up the project for this run.
func (s *Sender) giveUp(p *project, w *work, began time.Time, err error) error {
	s.mu.Lock()
	taken := p.takenAt.After(began)
	s.mu.Unlock()
	if taken {
		s.problem(err)
	} else {
		s.giveUpProject(p, noAnswer, err)
	}
	if len(w.Recipients) == 1 {
		return s.postpone(w, noAnswer, part(w.Group, w.Recipients))
	}
	return s.postpone(w, noAnswer, halves(w)...)
}

// postpone replaces w with batches that come behind all others, so that the next run
// begins with those that this run did not try.
func (s *Sender) postpone(w *work, why string, with ...*work) error {
	for _, part := range with {
		part.Left = why
	}
	return s.replace(w, with)
}

// allGivenUp reports whether every project of the run so far was given up, and whether
// one of them was because Expo did not answer.
func (s *Sender) allGivenUp() (all, unanswered bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.projects {
		if p.givenUp == "" {
			return false, false
		}
		unanswered = unanswered || p.givenUp == noAnswer
	}
	return len(s.projects) > 0, unanswered
}

// settle decides about the suspects that remain at the end: they failed if Expo has ever
// accepted another message of their project.
func (s *Sender) settle() error {
	for _, p := range s.projects { // no worker is at work
		has, err := s.outbox.HasAccepted(p.quota)
		if err != nil {
			return err
		}
		if !has {
			err = s.leaveSuspects(p)
		} else {
			err = s.accepted(p)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
