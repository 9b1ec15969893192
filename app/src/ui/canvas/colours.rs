//! Which colours are there now?
//!
//! Taken from the style's custom properties through a probe element, so that the canvas follows light, dark and every
//! way in which a property may be written.

use editor::scene::Hue;
use js_sys::JsString;
use model::KindName;
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;

/// Ready for a pen. `hue` and `soft` are in the order of [`Hue::ALL`].
pub struct Colours {
    pub paper: JsString,
    pub dots: JsString,
    pub surface: JsString,
    pub sunken: JsString,
    pub line: JsString,
    pub line_strong: JsString,
    pub ink: JsString,
    pub ink_2: JsString,
    pub ink_3: JsString,
    pub select: JsString,
    pub select_soft: JsString,
    pub shadow: JsString,
    pub hue: Vec<JsString>,
    pub soft: Vec<JsString>,
    /// As if half seen through, yet opaque: blending thousands of rectangles is dear.
    pub far: Vec<JsString>,
    pub sans: String,
    pub mono: String,
}

impl Colours {
    /// Reads them where `host` stands.
    pub fn read(host: &HtmlElement) -> Option<Self> {
        let window = web_sys::window()?;
        let probe: HtmlElement = window.document()?.create_element("span").ok()?.dyn_into().ok()?;
        host.append_child(&probe).ok()?;
        let computed = window.get_computed_style(&probe).ok()??;
        let read = |property: &str, value: &str| {
            let _ = probe.style().set_property(property, value);
            computed.get_property_value(property).unwrap_or_default()
        };
        let colour = |name: &str| read("color", &format!("var({name})"));
        let ready = |name: &str| JsString::from(colour(name));
        let colours = Colours {
            paper: ready("--paper"),
            dots: ready("--dots"),
            surface: ready("--surface"),
            sunken: ready("--sunken"),
            line: ready("--line"),
            line_strong: ready("--line-strong"),
            ink: ready("--ink"),
            ink_2: ready("--ink-2"),
            ink_3: ready("--ink-3"),
            select: ready("--select"),
            select_soft: with_alpha(&colour("--select"), 0.13).into(),
            shadow: "rgba(0, 0, 0, 0.05)".into(),
            hue: Hue::ALL.iter().map(|hue| ready(name(*hue))).collect(),
            soft: Hue::ALL.iter().map(|hue| with_alpha(&colour(name(*hue)), 0.13).into()).collect(),
            far: Hue::ALL.iter().map(|hue| mixed(&colour(name(*hue)), &colour("--paper"), 0.55).into()).collect(),
            sans: read("font-family", "var(--sans)"),
            mono: read("font-family", "var(--mono)"),
        };
        probe.remove();
        Some(colours)
    }

    pub fn hue(&self, hue: Hue) -> &JsString {
        &self.hue[hue.index()]
    }

    pub fn soft(&self, hue: Hue) -> &JsString {
        &self.soft[hue.index()]
    }
}

fn name(hue: Hue) -> &'static str {
    match hue {
        Hue::Kind(KindName::LoadData) => "--kind-load",
        Hue::Kind(KindName::Container) => "--kind-container",
        Hue::Kind(KindName::Notebook) => "--kind-notebook",
        Hue::Kind(KindName::Job) => "--kind-job",
        Hue::Kind(KindName::Viewer) => "--kind-viewer",
        Hue::Kind(KindName::Serving) => "--kind-serving",
        Hue::Kind(KindName::Volume) => "--kind-volume",
        Hue::Running => "--running",
        Hue::Done => "--done",
        Hue::Failed => "--failed",
        Hue::Waits => "--waits",
        Hue::Idle => "--idle",
    }
}

/// A computed colour is `rgb(r, g, b)` or `color(… / …)`; the latter keeps its own alpha.
fn with_alpha(computed: &str, alpha: f64) -> String {
    match computed.strip_prefix("rgb(").and_then(|rest| rest.strip_suffix(')')) {
        Some(parts) => format!("rgba({parts}, {alpha})"),
        None => computed.to_owned(),
    }
}

/// `share` of one computed colour over the other; a colour that is not written as `rgb(…)` stays as it is.
fn mixed(over: &str, under: &str, share: f64) -> String {
    let (Some(over_parts), Some(under_parts)) = (parts(over), parts(under)) else { return over.to_owned() };
    let mix = |at: usize| (over_parts[at] * share + under_parts[at] * (1.0 - share)).round();
    format!("rgb({}, {}, {})", mix(0), mix(1), mix(2))
}

fn parts(computed: &str) -> Option<[f64; 3]> {
    let inner = computed.strip_prefix("rgb(")?.strip_suffix(')')?;
    let mut numbers = inner.split(',').map(|part| part.trim().parse().ok());
    Some([numbers.next()??, numbers.next()??, numbers.next()??])
}
