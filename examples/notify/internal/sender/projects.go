package sender

import (
	"fmt"
	"time"

	"github.com/devicetokens/devicetokens/examples/notify/internal/outbox"
)

// A project is what a run knows of one that it sends to.
//
// A message that Expo refuses when it is alone is a suspect: either it is at
// fault, or its project is. When Expo takes a request of the project, the suspects
// so far are at fault, and are counted as failed. When mostSuspects are refused in
// a row, the project is at fault: all that is left of it is left to the next run,
// which may have better credentials.
//
// Batches are made of users at random. Otherwise the devices of an attacker, who may
// have many beside each other on the list, could be taken for the project.
type project struct {
	quota     string
	gate      *gate
	narrowing chan struct{} // full while a worker narrows a refusal down

	// Held by Sender.mu.
	takenAt  time.Time // the last request that Expo took
	suspects []suspect
	givenUp  string // why nothing more of it is sent in this run
}

type suspect struct {
	batch *outbox.Batch
	code  string
}

// How many messages in a row have to be refused alone before their project is given
// up: some of a project that Expo never took a message of, and more of others, since
// half of their messages may be at fault. A project that is given up wrongly loses
// nothing: the next run begins with the messages that this one did not try.
const (
	mostSuspects      = 8
	mostSuspectsTaken = 32
)

// project returns that of a quota.
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

// leave reports whether w is not to be sent in this run, and records why.
func (s *Sender) leave(p *project, w *work) (bool, error) {
	s.mu.Lock()
	why := p.givenUp
	s.mu.Unlock()
	if why != "" {
		return true, s.outbox.Leave(w.Batch, why)
	}
	return s.isStopped(), nil
}

// accepted is called when Expo has taken a request of p.
func (s *Sender) accepted(p *project) error {
	s.mu.Lock()
	p.takenAt = time.Now()
	suspects := p.suspects
	p.suspects = nil
	s.mu.Unlock()
	for _, one := range suspects {
		if err := s.outbox.Fail(one.batch, one.code); err != nil {
			return err
		}
	}
	return nil
}

// suspect is called when Expo will not take w, which cannot be narrowed down.
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
	p.suspects = append(p.suspects, suspect{w.Batch, code})
	enough := len(p.suspects) >= most
	s.mu.Unlock()
	if enough {
		return s.leaveSuspects(p)
	}
	return nil
}

// leaveSuspects gives the project up, which is at fault.
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
		if err := s.outbox.Postpone(one.batch, one.code); err != nil {
			return err
		}
	}
	s.giveUpProject(p, code, fmt.Errorf("project %q: %w: %s", p.quota, ErrRefused, code))
	return nil
}

// giveUpProject ends the sending to p in this run.
func (s *Sender) giveUpProject(p *project, why string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p.givenUp == "" {
		p.givenUp = why
		s.o.Log.Warn("the messages of a project are left to the next run", "error", err)
		s.problems = append(s.problems, err)
	}
}

// noAnswer is why messages are left that Expo did not answer.
const noAnswer = "no answer"

// giveUp leaves w, which was repeated in vain, to the next run, in halves: that
// narrows down which message is at fault, if one is. If Expo took no other request
// of the project meanwhile, it is given up for this run.
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
		return s.outbox.Postpone(w.Batch, noAnswer)
	}
	works := halves(w)
	for _, half := range works {
		half.Left = noAnswer
	}
	return s.replace(w, works)
}

// allGivenUp reports whether every project that the run knows was given up, and
// whether that is for want of an answer.
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

// settle decides on the suspects that are left when all is sent: they failed if
// Expo ever took others of their project.
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
