//! Why does a pod not run yet?
//!
//! One sentence for the task's person, the cluster's own words behind it.

use k8s_openapi::api::core::v1::{ContainerStateWaiting, Pod};

use super::nodes::amount;

/// What the roomiest node has left of a resource, where that is known.
pub type Free<'a> = &'a dyn Fn(&str) -> Option<u64>;

/// How schedulers of different versions say that a volume cannot be mounted on a node.
const APART: [&str; 2] = ["didn't match PersistentVolume's node affinity", "volume node affinity conflict"];

/// `event`: the last warning about the pod, if there is one.
pub fn sentence(pod: &Pod, event: Option<&str>, free: Free<'_>) -> String {
    unschedulable(pod, free)
        .or_else(|| container(pod))
        .or_else(|| event.and_then(from_event))
        .unwrap_or_else(|| plain(pod).to_owned())
}

/// As [`sentence`], of what keeps it from having a node with what it mounts.
pub fn place(pod: &Pod, event: Option<&str>, free: Free<'_>) -> Option<String> {
    unschedulable(pod, free).or_else(|| event.and_then(from_event))
}

fn with_words(sentence: &str, words: &str) -> String {
    if words.is_empty() { sentence.to_owned() } else { format!("{sentence} · {words}") }
}

/// The scheduler's words.
fn unplaced(pod: &Pod) -> Option<&str> {
    let mut conditions = pod.status.as_ref()?.conditions.iter().flatten();
    let condition = conditions.find(|one| one.type_ == "PodScheduled" && one.status == "False")?;
    Some(condition.message.as_deref().unwrap_or_default())
}

/// One that it mounts and that is not there.
pub fn missing_claim(pod: &Pod) -> Option<&str> {
    between(unplaced(pod)?, "persistentvolumeclaim \"", "\" not found")
}

/// The scheduler's words about claims that lie on different nodes, where that alone keeps it from every node.
pub fn apart(pod: &Pod) -> Option<&str> {
    unplaced(pod).filter(|words| is_apart(words) && !words.contains("Insufficient"))
}

fn is_apart(words: &str) -> bool {
    APART.iter().any(|said| words.contains(said))
}

fn unschedulable(pod: &Pod, free: Free<'_>) -> Option<String> {
    let words = unplaced(pod)?;
    if let Some(claim) = missing_claim(pod) {
        let sentence = format!("The claim {claim} is not there: make it, or name another one in the settings");
        return Some(with_words(&sentence, words));
    }
    if let Some(sentence) = too_much(pod, words, free) {
        return Some(with_words(&sentence, words));
    }
    let asked = asked(pod);
    let sentence = match (words.contains("Insufficient"), words.contains("unbound immediate PersistentVolumeClaims")) {
        (true, _) if !asked.is_empty() => format!("asks for {asked}, and no node has that free"),
        (true, _) => "no node has room for it".to_owned(),
        (false, true) => "waits for a volume to be made for its claim".to_owned(),
        (false, false) if words.contains("pod affinity rules") => {
            "the claims that it mounts are in use on another node, and allow one node at a time".to_owned()
        }
        (false, false) if is_apart(words) => {
            "no node can mount all of its claims: they lie on different nodes".to_owned()
        }
        (false, false) if words.contains("untolerated taint") || words.contains("selector") => {
            "no node takes it: see the node selector and the tolerations in the settings".to_owned()
        }
        (false, false) => "no node takes it".to_owned(),
    };
    Some(with_words(&sentence, words))
}

/// The first resource of which no node has enough left. Nothing where that lies in what others have taken.
fn too_much(pod: &Pod, words: &str, free: Free<'_>) -> Option<String> {
    let short = requests(pod).into_iter().filter(|(name, _)| words.contains(&format!("Insufficient {name}")));
    let mut seen = short.filter_map(|(name, asked)| Some((name, asked, free(name).filter(|free| *free < asked)?)));
    let (name, asked, free) = seen.next()?;
    let has = if free == 0 { "none".to_owned() } else { said(name, free) };
    Some(format!("asks for {}, the largest free node has {has}", said(name, asked)))
}

/// GPUs first: they are what is short.
fn requests(pod: &Pod) -> Vec<(&str, u64)> {
    let containers = pod.spec.iter().flat_map(|spec| &spec.containers);
    let requests = containers.filter_map(|one| one.resources.as_ref()?.requests.as_ref()).flatten();
    let mut all: Vec<_> =
        requests.filter_map(|(name, quantity)| Some((name.as_str(), amount(name, quantity)?))).collect();
    all.sort_by_key(|(name, _)| matches!(*name, "cpu" | "memory"));
    all
}

/// In a person's words: `2 GPUs, 4 processors, 8 GiB`.
fn asked(pod: &Pod) -> String {
    requests(pod).into_iter().map(|(name, amount)| said(name, amount)).collect::<Vec<_>>().join(", ")
}

fn said(resource: &str, amount: u64) -> String {
    match (resource, amount) {
        ("cpu", 1000) => "1 processor".to_owned(),
        ("cpu", thousandths) => format!("{} processors", model::Cpu(u32::try_from(thousandths).unwrap_or(u32::MAX))),
        ("memory", bytes) => model::Memory(bytes).to_string(),
        (_, 1) => "1 GPU".to_owned(),
        (_, pieces) => format!("{pieces} GPUs"),
    }
}

fn container(pod: &Pod) -> Option<String> {
    let status = pod.status.as_ref()?;
    let all = status.init_container_statuses.iter().chain(&status.container_statuses).flatten();
    let waiting = all.into_iter().filter_map(|one| Some((one, one.state.as_ref()?.waiting.as_ref()?)));
    let mut said = waiting.filter_map(|(one, waiting)| of_waiting(&one.image, waiting));
    said.next()
}

fn of_waiting(image: &str, waiting: &ContainerStateWaiting) -> Option<String> {
    let words = waiting.message.as_deref().unwrap_or_default();
    let sentence = match waiting.reason.as_deref()? {
        "CreateContainerConfigError" | "CreateContainerError" | "RunContainerError" => "Its container cannot be made",
        "CrashLoopBackOff" => "It ended, and is started again",
        _ => return refused(image, waiting),
    };
    Some(with_words(sentence, words))
}

/// The node does not get the image.
pub fn refused(image: &str, waiting: &ContainerStateWaiting) -> Option<String> {
    let words = waiting.message.as_deref().unwrap_or_default();
    let sentence = match waiting.reason.as_deref()? {
        "ErrImagePull" | "ImagePullBackOff" => format!("The image {image} cannot be pulled"),
        "InvalidImageName" => format!("{image} is not the name of an image"),
        "ErrImageNeverPull" => format!("The image {image} is not on the node"),
        _ => return None,
    };
    Some(with_words(&sentence, words))
}

fn from_event(words: &str) -> Option<String> {
    let sentence = if words.contains("Multi-Attach") {
        "Its volume is still in use on another node"
    } else if words.contains("MountVolume") || words.contains("AttachVolume") || words.contains("mount volumes") {
        "A volume cannot be mounted"
    } else if words.contains("sandbox") {
        "The node could not begin its pod"
    } else {
        return None;
    };
    Some(with_words(sentence, words))
}

fn plain(pod: &Pod) -> &'static str {
    let is_placed = pod.spec.as_ref().is_some_and(|spec| spec.node_name.is_some());
    if is_placed { "Its pod is being begun on a node." } else { "It waits for a node." }
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    text.split_once(before)?.1.split_once(after).map(|(found, _)| found)
}
