// A trace as text.
#pragma once

#include <string>

#include "tools/learn/trace/trace.h"

namespace umbra::learn {

/// "[2, 0]" for the row-major index of an element of `shape`.
std::string index_text(const Shape& shape, std::int64_t element);
/// A number with four digits.
std::string number_text(double value);

/// The forward pass of a node: number, operation, names and shapes, and the first numbers of the result.
std::string forward_text(const Trace& trace, const TracedNode& node);
/// The backward pass of a node: its upstream gradient and, for every input with a gradient, the chain rule of the
/// element with the largest one, with at most `terms` terms, as upstream × local = result.
std::string backward_text(const Trace& trace, const TracedNode& node, std::size_t terms);
/// Everything about a node: forward and backward with more numbers, and how far the terms are from the recorded
/// gradient.
std::string details_text(const Trace& trace, const TracedNode& node);
/// All nodes forward, the loss, and all nodes backward.
std::string trace_text(const Trace& trace);
/// Who moves when a weight changes.
std::string change_text(const Trace& trace, const Change& change);

}  // namespace umbra::learn
