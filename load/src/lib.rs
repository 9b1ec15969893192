//! How does a file get from a URL into a folder, unpacked?
