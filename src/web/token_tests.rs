//! Recomputes contrast and colour differences from the style sheet as it is served.

use std::collections::HashMap;
use std::sync::LazyLock;

use axum::body::Body;
use axum::http::Request;
use axum::routing::get;
use axum::{Router, body};
use tower::ServiceExt;

use super::assets;

/// What a browser gets at the address that pages name.
static CSS: LazyLock<String> = LazyLock::new(|| {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let request = Request::get(assets::asset("headgate.css"))
            .body(Body::empty())
            .expect("a request");
        let router: Router = Router::new().route(assets::ROUTE, get(assets::serve));
        let response = router.oneshot(request).await.expect("an answer");
        assert!(response.status().is_success(), "{}", response.status());
        let bytes = body::to_bytes(response.into_body(), usize::MAX)
            .await
            .expect("a body");
        String::from_utf8(bytes.into()).expect("text")
    })
});

type Rgb = [f64; 3];
const STATES: [&str; 6] = ["ok", "fail", "warn", "run", "late", "idle"];
const THEMES: [&str; 2] = ["light", "dark"];

/// Token → its light and dark colour, from `--name: light-dark(#RRGGBB, #RRGGBB)`.
fn tokens() -> HashMap<&'static str, [Rgb; 2]> {
    let mut tokens = HashMap::new();
    for part in CSS.split("--").skip(1) {
        let Some((name, rest)) = part.split_once(": light-dark(") else {
            continue;
        };
        let (both, _) = rest.split_once(')').expect("light-dark( is closed");
        let (light, dark) = both.split_once(", ").expect("two colours");
        let twice = tokens.insert(name, [colour(light), colour(dark)]);
        assert!(twice.is_none(), "--{name} is defined twice");
    }
    assert!(
        tokens.len() >= 28,
        "the tokens were not found: {:?}",
        tokens.keys()
    );
    tokens
}

/// `#RRGGBB` as linear light.
fn colour(hex: &str) -> Rgb {
    assert!(hex.len() == 7 && hex.starts_with('#'), "{hex} is not #RRGGBB");
    [1, 3, 5].map(|at| {
        let value = f64::from(u8::from_str_radix(&hex[at..at + 2], 16).expect("hexadecimal")) / 255.0;
        if value <= 0.04045 {
            value / 12.92
        } else {
            ((value + 0.055) / 1.055).powf(2.4)
        }
    })
}

/// WCAG 2: (lighter + 0.05) / (darker + 0.05).
fn contrast(one: Rgb, other: Rgb) -> f64 {
    let [one, other] = [one, other].map(|[r, g, b]| 0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05);
    one.max(other) / one.min(other)
}

fn check(pairs: &[(String, String, f64)]) {
    let tokens = tokens();
    for (theme, theme_name) in THEMES.iter().enumerate() {
        for (front, back, least) in pairs {
            let reached = contrast(tokens[front.as_str()][theme], tokens[back.as_str()][theme]);
            assert!(
                reached >= *least,
                "{theme_name}: --{front} on --{back} reaches {reached:.2}, needs {least}"
            );
        }
    }
}

fn pair(front: &str, back: &str, least: f64) -> (String, String, f64) {
    (front.into(), back.into(), least)
}

#[test]
fn text_reaches_4_5_on_everything_it_stands_on() {
    let mut pairs = Vec::new();
    for back in ["surface", "canvas", "sunken"] {
        pairs.extend(["text", "muted", "accent", "accent-hover"].map(|front| pair(front, back, 4.5)));
    }
    for back in ["surface", "canvas"] {
        pairs.extend(STATES.map(|state| pair(state, back, 4.5)));
    }
    for state in STATES {
        let tint = format!("{state}-bg");
        pairs.extend([state, "text", "muted"].map(|front| pair(front, &tint, 4.5)));
    }
    pairs.extend([
        pair("on-accent", "accent", 4.5),
        pair("on-accent", "accent-hover", 4.5),
    ]);
    check(&pairs);
}

#[test]
fn controls_marks_and_focus_reach_3() {
    let mut pairs = Vec::new();
    for back in ["surface", "canvas"] {
        pairs.extend(["control", "focus"].map(|front| pair(front, back, 3.0)));
        pairs.extend(STATES.map(|state| pair(&format!("m-{state}"), back, 3.0)));
    }
    check(&pairs);
}

#[test]
fn any_two_filled_chart_states_differ_in_every_kind_of_colour_vision() {
    let tokens = tokens();
    for (theme, theme_name) in THEMES.iter().enumerate() {
        for (vision, matrix) in VISIONS {
            let seen = |state: &str| lab(through(matrix, tokens[format!("m-{state}").as_str()][theme]));
            // Waiting and missing are outlines without fill, so they are told apart by shape.
            let filled = &STATES[..5];
            for (index, one) in filled.iter().enumerate() {
                for other in &filled[index + 1..] {
                    let difference = ciede2000(seen(one), seen(other));
                    assert!(
                        difference >= 18.0,
                        "{theme_name}, {vision}: {one} and {other} differ by {difference:.1}"
                    );
                }
            }
        }
    }
}

/// Machado, Oliveira and Fernandes 2009, severity 1, for linear light.
const VISIONS: [(&str, [[f64; 3]; 3]); 4] = [
    ("normal", [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]),
    (
        "protan",
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ],
    ),
    (
        "deutan",
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ],
    ),
    (
        "tritan",
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ],
    ),
];

fn through(matrix: [[f64; 3]; 3], rgb: Rgb) -> Rgb {
    matrix.map(|row| {
        row.iter()
            .zip(rgb)
            .map(|(a, b)| a * b)
            .sum::<f64>()
            .clamp(0.0, 1.0)
    })
}

/// CIE L*a*b* under D65.
fn lab([r, g, b]: Rgb) -> [f64; 3] {
    let [x, y, z] = [
        (0.4124564 * r + 0.3575761 * g + 0.1804375 * b) / 0.95047,
        0.2126729 * r + 0.7151522 * g + 0.0721750 * b,
        (0.0193339 * r + 0.1191920 * g + 0.9503041 * b) / 1.08883,
    ]
    .map(|t: f64| {
        if t > 216.0 / 24389.0 {
            t.cbrt()
        } else {
            (24389.0 / 27.0 * t + 16.0) / 116.0
        }
    });
    [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
}

/// The colour difference of Sharma, Wu and Dalal 2005 with all weights 1.
fn ciede2000([l1, a1, b1]: [f64; 3], [l2, a2, b2]: [f64; 3]) -> f64 {
    let c_mean7 = ((a1.hypot(b1) + a2.hypot(b2)) / 2.0).powi(7);
    let g = 0.5 * (1.0 - (c_mean7 / (c_mean7 + 25f64.powi(7))).sqrt());
    let (a1, a2) = (a1 * (1.0 + g), a2 * (1.0 + g));
    let (c1, c2) = (a1.hypot(b1), a2.hypot(b2));
    let hue = |a: f64, b: f64| {
        if a == 0.0 && b == 0.0 {
            0.0
        } else {
            b.atan2(a).to_degrees().rem_euclid(360.0)
        }
    };
    let (h1, h2) = (hue(a1, b1), hue(a2, b2));

    let grey = c1 * c2 == 0.0;
    let turn = if grey {
        0.0
    } else {
        (h2 - h1 + 180.0).rem_euclid(360.0) - 180.0
    };
    let (d_l, d_c) = (l2 - l1, c2 - c1);
    let d_h = 2.0 * (c1 * c2).sqrt() * (turn / 2.0).to_radians().sin();

    let (l, c) = ((l1 + l2) / 2.0, (c1 + c2) / 2.0);
    let h = match (h1 - h2).abs() {
        _ if grey => h1 + h2,
        apart if apart <= 180.0 => (h1 + h2) / 2.0,
        _ if h1 + h2 < 360.0 => (h1 + h2 + 360.0) / 2.0,
        _ => (h1 + h2 - 360.0) / 2.0,
    };
    let cos = |degrees: f64| degrees.to_radians().cos();
    let t = 1.0 - 0.17 * cos(h - 30.0) + 0.24 * cos(2.0 * h) + 0.32 * cos(3.0 * h + 6.0)
        - 0.20 * cos(4.0 * h - 63.0);
    let s_l = 1.0 + 0.015 * (l - 50.0).powi(2) / (20.0 + (l - 50.0).powi(2)).sqrt();
    let (s_c, s_h) = (1.0 + 0.045 * c, 1.0 + 0.015 * c * t);
    let c7 = c.powi(7);
    let r_t = -2.0
        * (c7 / (c7 + 25f64.powi(7))).sqrt()
        * (60.0 * (-((h - 275.0) / 25.0).powi(2)).exp()).to_radians().sin();
    let (l, c, h) = (d_l / s_l, d_c / s_c, d_h / s_h);
    (l * l + c * c + h * h + r_t * c * h).sqrt()
}

/// All pairs that Sharma, Wu and Dalal published: they catch a slip in the formula that plausible numbers would hide.
#[test]
fn the_colour_difference_agrees_with_the_published_pairs() {
    for (one, other, difference) in [
        ([50.0, 2.6772, -79.7751], [50.0, 0.0, -82.7485], 2.0425),
        ([50.0, 3.1571, -77.2803], [50.0, 0.0, -82.7485], 2.8615),
        ([50.0, 2.8361, -74.02], [50.0, 0.0, -82.7485], 3.4412),
        ([50.0, -1.3802, -84.2814], [50.0, 0.0, -82.7485], 1.0),
        ([50.0, -1.1848, -84.8006], [50.0, 0.0, -82.7485], 1.0),
        ([50.0, -0.9009, -85.5211], [50.0, 0.0, -82.7485], 1.0),
        ([50.0, 0.0, 0.0], [50.0, -1.0, 2.0], 2.3669),
        ([50.0, -1.0, 2.0], [50.0, 0.0, 0.0], 2.3669),
        ([50.0, 2.49, -0.001], [50.0, -2.49, 0.0009], 7.1792),
        ([50.0, 2.49, -0.001], [50.0, -2.49, 0.001], 7.1792),
        ([50.0, 2.49, -0.001], [50.0, -2.49, 0.0011], 7.2195),
        ([50.0, 2.49, -0.001], [50.0, -2.49, 0.0012], 7.2195),
        ([50.0, -0.001, 2.49], [50.0, 0.0009, -2.49], 4.8045),
        ([50.0, -0.001, 2.49], [50.0, 0.001, -2.49], 4.8045),
        ([50.0, -0.001, 2.49], [50.0, 0.0011, -2.49], 4.7461),
        ([50.0, 2.5, 0.0], [50.0, 0.0, -2.5], 4.3065),
        ([50.0, 2.5, 0.0], [73.0, 25.0, -18.0], 27.1492),
        ([50.0, 2.5, 0.0], [61.0, -5.0, 29.0], 22.8977),
        ([50.0, 2.5, 0.0], [56.0, -27.0, -3.0], 31.903),
        ([50.0, 2.5, 0.0], [58.0, 24.0, 15.0], 19.4535),
        ([50.0, 2.5, 0.0], [50.0, 3.1736, 0.5854], 1.0),
        ([50.0, 2.5, 0.0], [50.0, 3.2972, 0.0], 1.0),
        ([50.0, 2.5, 0.0], [50.0, 1.8634, 0.5757], 1.0),
        ([50.0, 2.5, 0.0], [50.0, 3.2592, 0.335], 1.0),
        ([60.2574, -34.0099, 36.2677], [60.4626, -34.1751, 39.4387], 1.2644),
        ([63.0109, -31.0961, -5.8663], [62.8187, -29.7946, -4.0864], 1.263),
        ([61.2901, 3.7196, -5.3901], [61.4292, 2.248, -4.962], 1.8731),
        ([35.0831, -44.1164, 3.7933], [35.0232, -40.0716, 1.5901], 1.8645),
        ([22.7233, 20.0904, -46.694], [23.0331, 14.973, -42.5619], 2.0373),
        ([36.4612, 47.858, 18.3852], [36.2715, 50.5065, 21.2231], 1.4146),
        ([90.8027, -2.0831, 1.441], [91.1528, -1.6435, 0.0447], 1.4441),
        ([90.9257, -0.5406, -0.9208], [88.6381, -0.8985, -0.7239], 1.5381),
        ([6.7747, -0.2908, -2.4247], [5.8714, -0.0985, -2.2286], 0.6377),
        ([2.0776, 0.0795, -1.135], [0.9033, -0.0636, -0.5514], 0.9082),
    ] {
        let computed = ciede2000(one, other);
        assert!(
            (computed - difference).abs() < 5e-5,
            "{computed:.4} instead of {difference}"
        );
    }
}

#[test]
fn contrast_of_black_and_white_is_21() {
    assert!((contrast(colour("#000000"), colour("#FFFFFF")) - 21.0).abs() < 1e-9);
    assert!((contrast(colour("#777777"), colour("#FFFFFF")) - 4.478).abs() < 1e-3);
}
