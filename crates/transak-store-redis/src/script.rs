//! The scripts: each does one thing to the keys of one shard, at once or not at all.

use std::sync::LazyLock;

pub(crate) struct Script {
    pub(crate) code: &'static str,
    pub(crate) hash: String,
}

macro_rules! scripts {
    ($($name:ident: $($file:literal),+;)+) => {$(
        pub(crate) static $name: LazyLock<Script> = LazyLock::new(|| {
            let code = concat!(include_str!("lua/prelude.lua"), $(include_str!($file)),+);
            Script { code, hash: redis::Script::new(code).get_hash().to_owned() }
        });
    )+};
}

scripts! {
    SWAP: "lua/swap.lua";
    DELETE: "lua/delete.lua";
    CLAIM: "lua/claim.lua";
    EXTEND: "lua/extend.lua";
    RELEASE: "lua/release.lua";
    PEEK: "lua/sweep.lua", "lua/peek.lua";
    TAKE: "lua/take.lua";
    FORECAST: "lua/sweep.lua", "lua/forecast.lua";
    RESEAL: "lua/reseal.lua";
}
