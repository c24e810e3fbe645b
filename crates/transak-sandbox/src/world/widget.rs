//! Sessions of the hosted widget: opened once, within five minutes.

use super::{
    Moment, Request, Settings, World,
    auth_calls::data,
    bounded::Bounded,
    json::Object,
    refusal::{Answer, Refusal},
    rng::Rng,
};

/// What a widget session was created with; see [`World::consume_widget_session`].
#[derive(Clone, PartialEq, Eq)]
pub struct WidgetOpened {
    /// The exact JSON text of `widgetParams`.
    pub params: String,
    /// The user whose token came along, if one did.
    pub email: Option<String>,
}

impl std::fmt::Debug for WidgetOpened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WidgetOpened").finish_non_exhaustive()
    }
}

/// Why a widget session cannot be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WidgetRefusal {
    /// No session has this id, or it was dropped long ago.
    #[error("no such widget session")]
    Unknown,
    /// It has been opened before.
    #[error("the widget session has been used")]
    Used,
    /// Its five minutes are over.
    #[error("the widget session has expired")]
    Expired,
}

#[derive(Debug)]
struct Session {
    created: Moment,
    /// Taken out when the session is opened.
    content: Option<WidgetOpened>,
}

/// All widget sessions by id.
#[derive(Debug)]
pub(crate) struct WidgetSessions {
    by_id: Bounded<String, Session>,
}

/// Longest text of parameters that is kept; with the cap on sessions it bounds the memory.
const LONGEST_PARAMS: usize = 65_536;

impl WidgetSessions {
    pub(crate) fn new() -> Self {
        Self { by_id: Bounded::new() }
    }

    pub(crate) fn len(&self) -> usize {
        self.by_id.len()
    }

    fn create(&mut self, content: WidgetOpened, rng: &mut Rng, settings: &Settings, now: Moment) -> (String, u64) {
        let id = rng.uuid();
        let session = Session {
            created: now,
            content: Some(content),
        };
        let dropped = self
            .by_id
            .insert(id.clone(), session, settings.max_widget_sessions)
            .len();
        (id, dropped as u64)
    }

    pub(crate) fn consume(
        &mut self,
        id: &str,
        settings: &Settings,
        now: Moment,
    ) -> Result<WidgetOpened, WidgetRefusal> {
        let session = self.by_id.get_mut(id).ok_or(WidgetRefusal::Unknown)?;
        if session.content.is_none() {
            return Err(WidgetRefusal::Used);
        }
        if now >= session.created.plus_seconds(settings.widget_session_seconds) {
            return Err(WidgetRefusal::Expired);
        }
        session.content.take().ok_or(WidgetRefusal::Used)
    }
}

impl World {
    pub(crate) fn create_widget_url(&mut self, request: &Request<'_>, now: Moment) -> Answer {
        let token = request.header("access-token").unwrap_or_default();
        self.partner.check(token, now).map_err(Refusal::unauthorized)?;
        let email = match request.brings("authorization") {
            true => Some(self.bearer(request, now)?.user),
            false => None,
        };
        let params = request.body.and_then(|body| body.get("widgetParams"));
        let member = |name: &str| {
            params
                .and_then(|params| params.get(name))
                .and_then(serde_json::Value::as_str)
        };
        self.same_key(member("apiKey"), "widgetParams.apiKey must be the same as x-api-key")?;
        let referrer = member("referrerDomain").unwrap_or_default();
        if referrer.trim().is_empty() {
            return Err(Refusal::invalid("widgetParams.referrerDomain must not be empty"));
        }
        if let Some(domains) = &self.settings.referrer_domains
            && !domains.iter().any(|domain| host(domain) == host(referrer))
        {
            return Err(Refusal::new(
                403,
                None,
                "The referrer domain is not registered for this API key",
            ));
        }
        let params = params.map(ToString::to_string).unwrap_or_default();
        if params.len() > LONGEST_PARAMS {
            return Err(Refusal::invalid("widgetParams is too long"));
        }
        let content = WidgetOpened { params, email };
        let (id, dropped) = self.widgets.create(content, &mut self.rng, &self.settings, now);
        self.counters.evicted("widgetSessions", dropped);
        let base = self.settings.widget_base_url.trim_end_matches('/');
        let url = format!("{base}/?apiKey={}&sessionId={id}", self.settings.api_key);
        Ok(data(Object::new().text("widgetUrl", &url)))
    }
}

/// Both a bare host and a full origin are seen in samples.
fn host(referrer: &str) -> String {
    let bare = referrer
        .trim()
        .split_once("://")
        .map_or(referrer.trim(), |(_, rest)| rest);
    bare.split(['/', '?', '#']).next().unwrap_or_default().to_lowercase()
}
