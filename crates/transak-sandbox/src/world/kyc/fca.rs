//! What the British supervisor wants of users in the United Kingdom before they may buy.

use serde_json::Value;

use crate::world::{
    Moment, Request, World,
    auth_calls::{data, gone},
    json::{Object, array, timestamp},
    refusal::{Answer, Refusal},
};

/// The step a user is at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Fca {
    /// To say what kind of investor they are.
    #[default]
    Categorization,
    /// To sign the agreement.
    Agreement,
    /// To answer questions on risk.
    Risk,
    /// To sleep over it.
    Cooling {
        until: Moment,
    },
    /// Said to be no investor; may try again later.
    Blocked {
        until: Moment,
    },
    Done,
}

/// How long first-time investors have to wait, and whoever is blocked; in seconds.
const WAIT_SECONDS: i64 = 86_400;

impl Fca {
    pub(super) fn is_done(self) -> bool {
        self == Self::Done
    }

    /// When the step ends by itself.
    pub(super) fn until(self) -> Option<Moment> {
        match self {
            Self::Cooling { until } | Self::Blocked { until } => Some(until),
            _ => None,
        }
    }

    pub(super) fn settle(&mut self, now: Moment) {
        match *self {
            Self::Cooling { until } if until <= now => *self = Self::Done,
            Self::Blocked { until } if until <= now => *self = Self::Categorization,
            _ => {}
        }
    }

    /// `None` once all is done: the vendor's word for it is not known.
    fn status(self) -> Option<&'static str> {
        Some(match self {
            Self::Categorization => "CATEGORIZATION_PENDING",
            Self::Agreement => "AGREEMENT_PENDING",
            Self::Risk => "RISK_ASSESSMENT_PENDING",
            Self::Cooling { .. } => "COOLING_PERIOD",
            Self::Blocked { .. } => "BLOCKED_RETRY",
            Self::Done => return None,
        })
    }

    /// What is wanted, in a shape of our own: the vendor's is not documented.
    fn requirements(self) -> Object {
        let question = |id: &str, text: &str| {
            let answers = [("A", "Yes"), ("B", "No")].map(|(id, text)| {
                let answer = Object::new().text("id", id);
                answer.text("text", text).finish()
            });
            Object::new()
                .text("id", id)
                .text("text", text)
                .raw("answers", &array(answers))
                .finish()
        };
        match self {
            Self::Categorization => Object::new().raw(
                "questions",
                &array([
                    question("HNI_Q1", "Was your income above 100,000 pounds last year?"),
                    question("HNI_Q2", "Do you own more than 250,000 pounds?"),
                ]),
            ),
            Self::Agreement => Object::new().text("agreement", "I have read the warning and accept the risk."),
            Self::Risk => Object::new().raw(
                "questions",
                &array([question("RISK_Q1", "Can you lose all you invest?")]),
            ),
            Self::Cooling { until } | Self::Blocked { until } => Object::new().text("until", &timestamp(until)),
            Self::Done => Object::new(),
        }
    }

    /// Takes an answer to the step; tells what kind of investor the user is when that is decided.
    fn answer(&mut self, form: &Value, now: Moment) -> Answer<Object> {
        let wait = now.plus_seconds(WAIT_SECONDS);
        match self {
            Self::Categorization => {
                let answers = form.get("answers").and_then(Value::as_array);
                let answers = answers.filter(|answers| !answers.is_empty() && answers.len() <= 100);
                let answers = answers.ok_or_else(|| Refusal::invalid("data.answers must be 1 to 100 answers"))?;
                let text = |answer: &Value, name: &str| answer.get(name).and_then(Value::as_str).map(str::to_owned);
                if answers.iter().any(|answer| text(answer, "questionId").is_none()) {
                    return Err(Refusal::invalid("data.answers[].questionId is required"));
                }
                let wealthy = answers
                    .iter()
                    .any(|answer| text(answer, "answerId").as_deref() == Some("A"));
                *self = match wealthy {
                    true => Self::Agreement,
                    false => Self::Blocked { until: wait },
                };
                Ok(Object::new().when(wealthy, |object| object.text("result", "HIGH_NET_WORTH_INVESTOR")))
            }
            Self::Agreement | Self::Risk => {
                if form.as_object().is_none_or(serde_json::Map::is_empty) {
                    return Err(Refusal::invalid("data must say something"));
                }
                *self = match self {
                    Self::Agreement => Self::Risk,
                    _ => Self::Cooling { until: wait },
                };
                Ok(Object::new())
            }
            Self::Cooling { .. } | Self::Blocked { .. } | Self::Done => {
                Err(Refusal::invalid("Nothing can be submitted at this step"))
            }
        }
    }
}

impl World {
    /// The caller, who lives in the United Kingdom.
    fn british(&mut self, request: &Request<'_>, now: Moment) -> Answer<String> {
        let key = self.user_of(request, now)?;
        match self.known(&key)?.kyc.country() {
            Some("GB") => Ok(key),
            _ => Err(Refusal::new(404, None, "The rules of the FCA do not concern this user")),
        }
    }

    pub(super) fn fca_status(&mut self, request: &Request<'_>, now: Moment) -> Answer {
        let key = self.british(request, now)?;
        let status = self.known(&key)?.kyc.fca.status();
        Ok(data(Object::new().maybe("status", status)))
    }

    pub(super) fn fca_requirements(&mut self, request: &Request<'_>, now: Moment) -> Answer {
        let key = self.british(request, now)?;
        let fca = self.known(&key)?.kyc.fca;
        if fca.status() != request.query("status") {
            return Err(Refusal::invalid("status is not the step that the user is at"));
        }
        Ok(data(fca.requirements()))
    }

    pub(super) fn submit_fca(&mut self, request: &Request<'_>, now: Moment) -> Answer {
        let key = self.british(request, now)?;
        let user = self.users.by_key.get_mut(&key).ok_or_else(gone)?;
        let fca = &mut user.kyc.fca;
        if fca.status() != request.text("status") {
            return Err(Refusal::invalid("status is not the step that the user is at"));
        }
        let empty = Value::Null;
        let form = request.body.and_then(|body| body.get("data")).unwrap_or(&empty);
        let outcome = fca.answer(form, now)?;
        self.settle_user(&key, now);
        Ok(data(outcome))
    }
}
