//! The methods, what each is called on, and what each may cost.

use std::cell::RefCell;
use std::convert::Infallible;
use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use transak_client::operations::Credential;
use transak_client::{Client, Error};
use transak_sandbox::Sandbox;
use transak_session::store::{Record, SessionStore};
use transak_session::{AccessToken, GetOptions, Otp, PartnerHandle, RecordKey, Transak, UserIdentity, UserIp};

use crate::support::{DAY, EMAIL, IP, MINUTE, OTP, Person, Scene};

/// What the issuer counts.
pub(crate) const CALLS: [&str; 6] = ["mint", "refresh", "send_otp", "verify_otp", "logout", "probe"];

pub(crate) type Done = Pin<Box<dyn Future<Output = Result<String, String>>>>;
/// Makes the call; may be made again.
pub(crate) type Op = Box<dyn FnMut() -> Done>;

type Prepare = Box<dyn Fn(Rc<Scene>) -> Pin<Box<dyn Future<Output = Op>>>>;

pub(crate) struct Plan {
    pub(crate) name: &'static str,
    pub(crate) prepare: Prepare,
    /// How many of each of `CALLS` one call of the method needs at most.
    pub(crate) need: [usize; CALLS.len()],
    pub(crate) users: Vec<Who>,
    /// Once polled, everything happens whether somebody waits or not.
    pub(crate) detached: bool,
    /// Something is under way before the first poll.
    pub(crate) background: bool,
    /// Brings a token that Transak does not end the former one for.
    pub(crate) logs_in: bool,
    /// Ends the session: what Transak could not be told of is forgotten all the same.
    pub(crate) forgets: bool,
    /// An hour later the call succeeds, whatever happened.
    pub(crate) heals: bool,
    /// How far the clock moves between two polls.
    pub(crate) tick: Duration,
}

impl Plan {
    fn new<F, Fut>(name: &'static str, need: &[(&str, usize)], prepare: F) -> Self
    where
        F: Fn(Rc<Scene>) -> Fut + 'static,
        Fut: Future<Output = Op> + 'static,
    {
        let of = |call: &str| need.iter().find(|(c, _)| *c == call).map_or(0, |(_, n)| *n);
        Self {
            name,
            prepare: Box::new(move |scene| Box::pin(prepare(scene))),
            need: CALLS.map(of),
            users: vec![Who(EMAIL.to_owned())],
            detached: true,
            background: false,
            logs_in: false,
            forgets: false,
            heals: true,
            tick: Duration::ZERO,
        }
    }

    /// The caller's own future does the work, so a drop may leave the rest undone.
    fn attached(mut self) -> Self {
        self.detached = false;
        self
    }

    fn never_heals(mut self) -> Self {
        self.heals = false;
        self
    }

    fn logs_in(mut self) -> Self {
        self.logs_in = true;
        self
    }

    fn background(mut self) -> Self {
        (self.background, self.detached) = (true, false);
        self
    }
}

/// A user whose record is looked at.
pub(crate) struct Who(String);

impl Who {
    pub(crate) fn record(&self, scene: &Scene) -> RecordKey {
        scene
            .transak
            .user(UserIdentity::parse(&self.0, IP).unwrap())
            .key()
            .record()
    }
}

pub(crate) fn done<T: Debug, E: Debug>(call: impl Future<Output = Result<T, E>> + 'static) -> Done {
    Box::pin(async move {
        match call.await {
            Ok(value) => Ok(format!("{value:?}")),
            Err(error) => Err(format!("{error:?}")),
        }
    })
}

fn op<T, E, Fut>(mut call: impl FnMut() -> Fut + 'static) -> Op
where
    T: Debug,
    E: Debug,
    Fut: Future<Output = Result<T, E>> + 'static,
{
    Box::new(move || done(call()))
}

pub(crate) async fn no_error(call: impl Future<Output = ()>) -> Result<(), Infallible> {
    call.await;
    Ok(())
}

pub(crate) fn ready(partner: &PartnerHandle) -> Done {
    let partner = partner.clone();
    done(async move { partner.ready().await })
}

/// Puts a session into the store that was issued so long ago, as if another process had logged the user in.
async fn stored(scene: &Scene, email: &str, age: Duration) -> AccessToken {
    let issued = scene.issuer.issue_aged(age, DAY * 30);
    let record = Record::user(&issued, Some(UserIp::parse(IP).unwrap()), issued.issued_at());
    let key = Who(email.to_owned()).record(scene);
    let _ = scene.store.inner.swap(&key, None, record, None).await.unwrap();
    issued.token().clone()
}

/// Answers of 401, which only a real call can bring.
#[derive(Clone)]
struct Answers {
    _sandbox: Rc<Sandbox>,
    client: Client,
}

impl Answers {
    async fn new() -> Self {
        let sandbox = Sandbox::builder().start().await.unwrap();
        let client = Client::builder()
            .environment(sandbox.environment())
            .credentials(sandbox.credentials())
            .build()
            .unwrap()
            .with_credential(Credential::UserToken, "no token");
        Self {
            _sandbox: Rc::new(sandbox),
            client,
        }
    }

    /// A call that is answered so once, and then succeeds.
    async fn call(&self) -> impl Fn(Client) -> Pin<Box<dyn Future<Output = Result<(), Error>>>> + Clone + 'static {
        let answer = self.client.get_user_details().api_key("k").send().await.unwrap_err();
        assert!(answer.is_unauthorized(), "{answer:?}");
        let answer = Rc::new(RefCell::new(Some(answer)));
        move |_| {
            let answer = Rc::clone(&answer);
            Box::pin(async move {
                tokio::task::yield_now().await;
                let first = answer.borrow_mut().take();
                first.map_or(Ok(()), Err)
            })
        }
    }
}

pub(crate) async fn sessions() -> Vec<Plan> {
    let answers = Answers::new().await;
    let refresh: &[_] = &[("refresh", 1)];
    vec![
        Plan::new("token, nobody there", &[], |scene| async move {
            op(move || {
                let user = scene.user();
                async move { user.token().await }
            })
        })
        .never_heals(),
        Plan::new("token, stored", &[], |scene| async move {
            stored(&scene, EMAIL, DAY).await;
            op(move || {
                let user = scene.user();
                async move { user.token().await }
            })
        }),
        Plan::new("token, stored and due", refresh, |scene| async move {
            stored(&scene, EMAIL, DAY * 27).await;
            op(move || {
                let user = scene.user();
                async move { user.token().await }
            })
        }),
        Plan::new("token_with", refresh, |scene| async move {
            stored(&scene, EMAIL, DAY * 5).await;
            scene.user().token().await.unwrap();
            op(move || {
                let user = scene.user();
                async move { user.token_with(GetOptions::default().min_remaining(DAY * 28)).await }
            })
        }),
        Plan {
            tick: Duration::from_millis(100),
            ..Plan::new("token_with, claimed elsewhere", refresh, |scene| async move {
                stored(&scene, EMAIL, DAY * 5).await;
                let user = scene.user();
                user.token().await.unwrap();
                let _ = scene.store.inner.claim(&user.key().record(), MINUTE).await.unwrap();
                op(move || {
                    let user = user.clone();
                    async move { user.token_with(GetOptions::default().min_remaining(DAY * 28)).await }
                })
            })
        },
        Plan::new("refresh_now", refresh, |scene| async move {
            stored(&scene, EMAIL, DAY * 5).await;
            op(move || {
                let user = scene.user();
                async move { user.refresh_now().await }
            })
        }),
        Plan {
            tick: Duration::from_millis(100),
            ..Plan::new("refresh_now, claimed elsewhere", refresh, |scene| async move {
                stored(&scene, EMAIL, DAY * 5).await;
                let user = scene.user();
                let _ = scene.store.inner.claim(&user.key().record(), MINUTE).await.unwrap();
                op(move || {
                    let user = user.clone();
                    async move { user.refresh_now().await }
                })
            })
        },
        Plan::new("report_rejected", refresh, |scene| async move {
            let which = stored(&scene, EMAIL, DAY * 5).await.fingerprint();
            scene.user().token().await.unwrap();
            op(move || {
                let user = scene.user();
                async move { user.report_rejected(which).await }
            })
        }),
        Plan::new(
            "report_rejected, revoked",
            &[("refresh", 1), ("probe", 1)],
            |scene| async move {
                let token = stored(&scene, EMAIL, DAY * 5).await;
                scene.user().token().await.unwrap();
                scene.issuer.revoke(&token);
                op(move || {
                    let (user, which) = (scene.user(), token.fingerprint());
                    async move { user.report_rejected(which).await }
                })
            },
        )
        .never_heals(),
        Plan {
            forgets: true,
            ..Plan::new("logout", &[("logout", 1)], |scene| async move {
                stored(&scene, EMAIL, DAY * 5).await;
                scene.user().token().await.unwrap();
                op(move || {
                    let user = scene.user();
                    async move { user.logout().await }
                })
            })
        },
        Plan::new("call", refresh, move |scene| {
            let answers = answers.clone();
            async move {
                stored(&scene, EMAIL, DAY * 5).await;
                let call = answers.call().await;
                op(move || {
                    let (user, call) = (scene.user(), call.clone());
                    async move { user.call(call).await }
                })
            }
        })
        .attached(),
    ]
}

pub(crate) fn logins() -> Vec<Plan> {
    let verify: &[_] = &[("verify_otp", 1)];
    vec![
        Plan::new("begin_login", &[("send_otp", 1)], |scene| async move {
            op(move || {
                let user = scene.user();
                async move { user.begin_login().await }
            })
        })
        .attached(),
        Plan::new("login", &[("send_otp", 1), ("verify_otp", 2)], |scene| async move {
            op(move || {
                let user = scene.user();
                async move { user.login(&Person::typing(&["000000", OTP])).await }
            })
        })
        .logs_in()
        .attached(),
        Plan::new("verify", verify, |scene| async move {
            let text = scene.user().begin_login().await.unwrap().to_stored();
            op(move || {
                let challenge = scene.user().resume_login(&text).unwrap();
                async move { challenge.verify(Otp::parse(OTP).unwrap()).await }
            })
        })
        // The password is used up.
        .never_heals(),
        Plan::new("resend", &[("send_otp", 1)], |scene| async move {
            let text = scene.user().begin_login().await.unwrap().to_stored();
            scene.clock.advance(MINUTE);
            op(move || {
                let mut challenge = scene.user().resume_login(&text).unwrap();
                async move { challenge.resend().await }
            })
        })
        .attached(),
    ]
}

/// The one call that makes an HTTP request of its own: dropped after so many of its wake-ups.
pub(crate) async fn onboard() -> usize {
    let mut points = 0;
    for polls in 0..100 {
        let sandbox = Sandbox::builder().start().await.unwrap();
        let settings = sandbox.control().settings();
        let transak = Transak::builder()
            .environment(sandbox.environment())
            .api_key(settings.api_key.as_str())
            .api_secret(settings.api_secret.as_str())
            .build()
            .unwrap();
        let user = transak.vouch_for(UserIdentity::parse("vouched.planted@example.com", IP).unwrap());
        let mut left = polls;
        let ended = {
            let mut call = std::pin::pin!(user.onboard());
            std::future::poll_fn(|cx| {
                if left == 0 {
                    return Poll::Ready(false);
                }
                left -= 1;
                call.as_mut().poll(cx).map(|done| done.map(|_| true).unwrap())
            })
            .await
        };
        user.onboard().await.unwrap();
        user.onboard().await.unwrap();
        assert_eq!(sandbox.control().counts().world.mints, 1, "dropped after {polls} polls");
        transak.shutdown().await;
        points += 1;
        if ended {
            return points;
        }
    }
    panic!("no end")
}

pub(crate) async fn partner() -> Vec<Plan> {
    let answers = Answers::new().await;
    let vouched = answers.clone();
    let mint: &[_] = &[("mint", 1)];
    vec![
        Plan::new("ready", mint, |scene| async move {
            op(move || {
                let partner = scene.transak.partner().clone();
                async move { partner.ready().await }
            })
        }),
        Plan::new("partner report_rejected", mint, |scene| async move {
            let which = scene.transak.partner().ready().await.unwrap().fingerprint();
            scene.clock.advance(DAY);
            op(move || {
                let partner = scene.transak.partner().clone();
                async move { partner.report_rejected(which).await }
            })
        }),
        Plan::new("verification_keys_fresh", &[], |scene| async move {
            scene.other_process().partner().ready().await.unwrap();
            op(move || {
                let partner = scene.transak.partner().clone();
                async move { partner.verification_keys_fresh().await }
            })
        }),
        Plan::new("partner call", mint, move |scene| {
            let answers = answers.clone();
            async move {
                scene.transak.partner().ready().await.unwrap();
                scene.clock.advance(DAY);
                let call = answers.call().await;
                op(move || {
                    let (partner, call) = (scene.transak.partner().clone(), call.clone());
                    async move { partner.call(call).await }
                })
            }
        })
        .attached(),
        Plan::new("vouched call", mint, move |scene| {
            let answers = vouched.clone();
            async move {
                scene.transak.partner().ready().await.unwrap();
                scene.clock.advance(DAY);
                let call = answers.call().await;
                op(move || {
                    let user = UserIdentity::parse("vouched.planted@example.com", IP).unwrap();
                    let (user, call) = (scene.transak.vouch_for(user), call.clone());
                    async move { user.call(call).await }
                })
            }
        })
        .attached(),
    ]
}

pub(crate) fn whole() -> Vec<Plan> {
    let people: Vec<String> = (0..3).map(|n| format!("planted{n}@example.com")).collect();
    let users = people.iter().cloned().map(Who).collect();
    vec![
        Plan::new("shutdown", &[("refresh", 1), ("mint", 1)], |scene| async move {
            stored(&scene, EMAIL, DAY * 27).await;
            scene.user().token().await.unwrap();
            let _ = scene.transak.partner().current();
            op(move || {
                let transak = scene.transak.clone();
                async move { no_error(transak.shutdown()).await }
            })
        })
        .background(),
        Plan::new("forecast", &[], |scene| async move {
            stored(&scene, EMAIL, DAY).await;
            op(move || {
                let transak = scene.transak.clone();
                async move { transak.forecast(&[DAY]).await }
            })
        }),
        Plan {
            users,
            ..Plan::new("keep-alive stop", &[("refresh", 3)], move |scene| {
                let people = people.clone();
                async move {
                    for person in &people {
                        stored(&scene, person, DAY * 27).await;
                    }
                    op(move || {
                        let worker = scene.transak.keep_alive().start().unwrap();
                        async move {
                            // Long enough for it to be in the middle of its work.
                            for _ in 0..6 {
                                tokio::task::yield_now().await;
                            }
                            no_error(worker.stop()).await
                        }
                    })
                }
            })
            .background()
        },
    ]
}
