//! The scripts: each does one thing to the keys of one shard, at once or not at all.

use std::sync::LazyLock;

pub(crate) struct Script {
    pub(crate) code: &'static str,
    pub(crate) hash: String,
}

macro_rules! scripts {
    ($($name:ident: $($file:literal),+;)+) => {$(
        pub(crate) static $name: LazyLock<Script> = LazyLock::new(|| {
            let code = concat!($(include_str!($file)),+);
            Script { code, hash: redis::Script::new(code).get_hash().to_owned() }
        });
    )+};
}

scripts! {
    SWAP: "lua/prelude.lua", "lua/swap.lua";
    DELETE: "lua/prelude.lua", "lua/delete.lua";
    CLAIM: "lua/prelude.lua", "lua/claim.lua";
    EXTEND: "lua/prelude.lua", "lua/extend.lua";
    RELEASE: "lua/prelude.lua", "lua/release.lua";
    PEEK: "lua/prelude.lua", "lua/sweep.lua", "lua/peek.lua";
    TAKE: "lua/prelude.lua", "lua/take.lua";
    FORECAST: "lua/prelude.lua", "lua/sweep.lua", "lua/forecast.lua";
    DRAW: "lua/draw.lua";
    GIVE_BACK: "lua/give_back.lua";
    RESEAL: "lua/prelude.lua", "lua/reseal.lua";
}
