//! What the rules say, written down once more and as simply as possible: lists, and nothing forgotten.
#![allow(dead_code, unreachable_pub)]

use super::START;

/// Status and error code.
pub type Verdict = (u16, Option<i64>);

pub const OK: Verdict = (200, None);
const NO: Verdict = (401, Some(1002));

pub struct Token {
    pub text: String,
    pub session: usize,
    pub expiry: i64,
    pub revoked: bool,
}

pub struct Challenge {
    pub user: usize,
    pub code: String,
    pub state_token: String,
    sent: i64,
    wrong: u32,
    dead: bool,
}

pub struct Model {
    pub revokes: bool,
    /// Milliseconds.
    pub now: i64,
    pub tokens: Vec<Token>,
    pub challenges: Vec<Challenge>,
    pub minted: Vec<(String, i64)>,
    mint_times: Vec<i64>,
    ended: Vec<bool>,
}

impl Model {
    pub fn new(revokes: bool) -> Self {
        Self {
            revokes,
            now: START * 1000,
            tokens: Vec::new(),
            challenges: Vec::new(),
            minted: Vec::new(),
            mint_times: Vec::new(),
            ended: Vec::new(),
        }
    }

    pub fn seconds(&self) -> i64 {
        self.now / 1000
    }

    pub fn may_login(&self, user: usize) -> Verdict {
        match self.challenges.iter().rev().find(|challenge| challenge.user == user) {
            Some(last) if self.now < last.sent + 60_000 => (400, Some(1019)),
            _ => OK,
        }
    }

    pub fn logged_in(&mut self, user: usize, code: String, state_token: String) {
        for old in self.challenges.iter_mut().filter(|challenge| challenge.user == user) {
            old.dead = true;
        }
        self.challenges.push(Challenge {
            user,
            code,
            state_token,
            sent: self.now,
            wrong: 0,
            dead: false,
        });
    }

    pub fn verify(&mut self, number: Option<usize>, user: usize, code: &str) -> Verdict {
        let now = self.now;
        let Some(challenge) = number.and_then(|number| self.challenges.get_mut(number)) else {
            return NO;
        };
        if challenge.user != user || challenge.dead || now >= challenge.sent + 600_000 {
            return NO;
        }
        if challenge.wrong == 5 {
            return (429, Some(1002));
        }
        if challenge.code != code {
            challenge.wrong += 1;
            return NO;
        }
        challenge.dead = true;
        OK
    }

    pub fn new_session(&mut self, text: String) {
        self.ended.push(false);
        self.add(text, self.ended.len() - 1);
    }

    fn add(&mut self, text: String, session: usize) {
        let expiry = self.seconds() + 2_592_000;
        self.tokens.push(Token {
            text,
            session,
            expiry,
            revoked: false,
        });
    }

    pub fn alive(&self, token: Option<usize>) -> Verdict {
        match token.map(|token| &self.tokens[token]) {
            Some(token) if !token.revoked && !self.ended[token.session] && self.seconds() < token.expiry => OK,
            _ => NO,
        }
    }

    pub fn refreshed(&mut self, token: usize, text: String) {
        let session = self.tokens[token].session;
        if self.revokes {
            self.tokens
                .iter_mut()
                .filter(|token| token.session == session)
                .for_each(|token| token.revoked = true);
        }
        self.add(text, session);
    }

    pub fn logged_out(&mut self, token: usize) {
        self.ended[self.tokens[token].session] = true;
    }

    pub fn may_mint(&self) -> Verdict {
        let recent = self.mint_times.iter().filter(|time| self.now < **time + 60_000).count();
        if recent >= 10 { (429, None) } else { OK }
    }

    pub fn mint(&mut self, text: String) {
        self.mint_times.push(self.now);
        self.minted.push((text, self.seconds() + 604_800));
    }

    pub fn partner_alive(&self, number: usize) -> Verdict {
        let current = number + 1 == self.minted.len();
        if current && self.seconds() < self.minted[number].1 {
            OK
        } else {
            (401, None)
        }
    }
}
