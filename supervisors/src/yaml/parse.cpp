// SPDX-License-Identifier: BSL-1.0
//
// Works on yaml-cpp's events, because its node tree has lost what diagnostics need: it keeps one of two equal keys
// without a word, reports an alias at its anchor, and can be cyclic.
#include "yaml/node.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <istream>
#include <optional>
#include <streambuf>
#include <unordered_map>

namespace libactor::yaml {

namespace {

// Ends the pass through a file; the fault is already reported.
struct end_of_pass {};

class text_stream : public std::streambuf {
 public:
  explicit text_stream(std::string& text) { setg(text.data(), text.data(), text.data() + text.size()); }
};

// Behind the closing quote of the scalar that begins at `offset`; 0 if it has none.
std::size_t end_of_quoted(std::string_view text, std::size_t offset) {
  const char quote = text[offset];
  for (auto i = offset + 1; i < text.size(); ++i) {
    if (quote == '"' && text[i] == '\\')
      ++i;
    else if (text[i] == quote && quote == '\'' && i + 1 < text.size() && text[i + 1] == quote)
      ++i;
    else if (text[i] == quote)
      return i + 1;
  }
  return 0;
}

// From the mark of a node, which is that of its anchor or tag where it has one, to its content.
std::size_t skip_properties(std::string_view text, std::size_t offset) {
  while (offset < text.size() && (text[offset] == '&' || text[offset] == '!')) {
    offset = text.find_first_of(" \t\r\n", offset);
    offset = std::min(text.find_first_not_of(" \t\r\n", offset), text.size());
    while (offset < text.size() && text[offset] == '#')
      offset = std::min(text.find_first_not_of(" \t\r\n", text.find('\n', offset)), text.size());
  }
  return std::min(offset, text.size());
}

class builder : public YAML::EventHandler {
 public:
  builder(std::uint32_t file, const parse_limits& limits, std::deque<node>& arena, report& faults)
      : file_(file), text_(faults.file(file).text()), limits_(limits), arena_(arena), faults_(faults) {}

  const node* root() const noexcept { return root_; }

  // The innermost list or map that is still open, or null.
  const node* innermost() const noexcept { return open_.empty() ? nullptr : open_.back().what; }
  bool is_in_flow() const noexcept { return !open_.empty() && open_.back().is_flow; }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (had_document_) {
      faults_.error("Y03", at(offset_of(mark)), "a second document begins here: a tree file has one");
      throw end_of_pass{};
    }
    had_document_ = true;
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    auto& n = make(node::type::null, mark, "?", anchor);
    if (!is_spelt_out(n.offset))
      n.offset = static_cast<std::uint32_t>(place_of_nothing(n.offset));
    remember(anchor, n);
    reject_as_key(n, n.offset);
    place(n);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto target = anchors_.find(anchor);
    const auto offset = offset_of(mark);
    if (target == anchors_.end() || is_open(target->second)) {
      faults_.error("Y05", at(offset), "this alias stands inside what it names, and would never end",
                    target == anchors_.end()
                        ? std::vector<report::pending_note>{}
                        : std::vector<report::pending_note>{{at(target->second->offset), "it names this"}});
      auto& nothing = make(node::type::null, mark, "?", 0);
      nothing.faulty = true;
      place(nothing);
      return;
    }
    if (open_.size() + target->second->height > limits_.max_depth)
      too_deep(offset);
    count(target->second->weight, offset);
    auto& copy = arena_.emplace_back(*target->second);
    copy.is_alias = true;
    copy.offset = offset;
    copy.end = static_cast<std::uint32_t>(std::min(text_.find_first_of(" \t\r\n,]}", offset), text_.size()));
    if (!copy.is_scalar())
      reject_as_key(copy, offset);
    place(copy);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    auto& n = make(node::type::scalar, mark, tag, anchor);
    n.text = value;
    n.quoted = tag != "?" && !tag.empty();
    n.weight += static_cast<std::uint32_t>(value.size() / 64);  // so that aliases of it are counted as what they cost
    if (n.quoted && n.offset < text_.size() && (text_[n.offset] == '"' || text_[n.offset] == '\'')) {
      n.end = static_cast<std::uint32_t>(end_of_quoted(text_, n.offset));
      if (n.end == 0) {
        faults_.error("Y01", at(n.offset), "this quote is never closed");
        throw end_of_pass{};
      }
    }
    remember(anchor, n);
    place(n);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value style) override {
    open(make(node::type::sequence, mark, tag, anchor), anchor, style);
  }
  void OnSequenceEnd() override { close(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value style) override {
    open(make(node::type::map, mark, tag, anchor), anchor, style);
  }
  void OnMapEnd() override { close(); }

 private:
  struct frame {
    node* what;
    const node* key = nullptr;  // of a map whose value comes next
    bool skips = false;         // the value that comes next has no valid key
    bool is_flow = false;       // in brackets
  };

  position at(std::size_t offset) const { return {file_, static_cast<std::uint32_t>(offset), 1}; }

  std::uint32_t offset_of(const YAML::Mark& mark) const {
    return static_cast<std::uint32_t>(
        std::min<std::size_t>(static_cast<std::size_t>(std::max(mark.pos, 0)), text_.size()));
  }

  node& make(node::type is, const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    const auto offset = offset_of(mark);
    count(1, offset);
    auto& n = arena_.emplace_back();
    n.is = is;
    n.file = file_;
    n.offset = offset;
    if (tag.size() > 1)
      faults_.error("Y23", at(offset),
                    "tags such as this one are not used here: each value's type follows from its key");
    if (anchor != 0 || tag.size() > 1 || (tag == "!" && offset < text_.size() && text_[offset] == '!'))
      n.offset = static_cast<std::uint32_t>(skip_properties(text_, offset));
    return n;
  }

  void count(std::size_t values, std::uint32_t offset) {
    values_ += values;
    if (values_ > limits_.max_values) {
      faults_.error("Y06", at(offset),
                    "the file has more than " + std::to_string(limits_.max_values) + " values, aliases expanded");
      throw end_of_pass{};
    }
  }

  void too_deep(std::uint32_t offset) {
    faults_.error("Y06", at(offset), "nested more than " + std::to_string(limits_.max_depth) + " levels deep");
    throw end_of_pass{};
  }

  // Whether a null is a word here: an empty one's mark may be at a key that begins as one.
  bool is_spelt_out(std::size_t offset) const {
    for (const std::string_view word : {"~", "null", "Null", "NULL"}) {
      if (text_.compare(offset, word.size(), word) != 0)
        continue;
      const auto end = offset + word.size();
      return expects_key() || end == text_.size() ||
             std::string_view(" \t\r\n,]}").find(text_[end]) != std::string_view::npos;
    }
    return false;
  }

  // An empty value's mark is that of whatever comes next: the key says better where it is missing.
  std::size_t place_of_nothing(std::size_t mark) const {
    if (!open_.empty() && open_.back().key != nullptr)
      return open_.back().key->offset;
    const auto before =
        mark == 0 ? std::string_view::npos : std::string_view(text_).find_last_not_of(" \t\r\n", mark - 1);
    return before == std::string_view::npos ? mark : before;
  }

  bool is_open(const node* n) const {
    return std::any_of(open_.begin(), open_.end(), [&](const frame& f) { return f.what == n; });
  }

  void remember(YAML::anchor_t anchor, node& n) {
    if (anchor != 0)
      anchors_[anchor] = &n;
  }

  void open(node& n, YAML::anchor_t anchor, YAML::EmitterStyle::value style) {
    if (open_.size() >= limits_.max_depth)
      too_deep(n.offset);
    remember(anchor, n);
    reject_as_key(n, n.offset);
    open_.push_back({&n, nullptr, false, style == YAML::EmitterStyle::Flow});
  }

  void close() {
    const auto closed = open_.back();
    open_.pop_back();
    if (closed.what->is_map())
      drop_repeated(*closed.what);
    place(*closed.what);
  }

  bool expects_key() const {
    return !open_.empty() && open_.back().what->is_map() && open_.back().key == nullptr && !open_.back().skips;
  }

  void reject_as_key(const node& n, std::size_t offset) {
    if (expects_key())
      faults_.error("Y04", at(offset), std::string("a key must be a word, not ") + describe(n));
  }

  void place(const node& n) {
    if (open_.empty()) {
      root_ = &n;
      return;
    }
    auto& top = open_.back();
    auto& into = *top.what;
    if (expects_key()) {
      if (n.is_scalar())
        top.key = &n;
      else
        top.skips = true;
      return;
    }
    into.height = std::max(into.height, n.height + 1);
    into.weight += n.weight;  // bounded by `count`
    if (into.is_sequence()) {
      into.items.push_back(&n);
    } else if (top.skips) {
      top.skips = false;
    } else {
      const auto* key = std::exchange(top.key, nullptr);
      if (key->text == "<<" && !key->quoted)
        faults_.error("Y08", at(key->offset), "merge keys (`<<`) are not supported: use `templates` and `use`");
      else
        into.entries.push_back({key, &n});
    }
  }

  void drop_repeated(node& map) {
    auto& entries = map.entries;
    std::unordered_map<std::string_view, const node*> seen;
    const bool is_large = entries.size() > 16;
    auto kept = entries.begin();
    for (auto& entry : entries) {
      const node* first = nullptr;
      if (is_large) {
        const auto [known, is_new] = seen.emplace(entry.key->text, entry.key);
        first = is_new ? nullptr : known->second;
      } else {
        const auto same =
            std::find_if(entries.begin(), kept, [&](const auto& e) { return e.key->text == entry.key->text; });
        first = same == kept ? nullptr : same->key;
      }
      if (first != nullptr)
        faults_.error("Y02", position_of(*entry.key, faults_.file(file_)), "duplicate key `" + entry.key->text + "`",
                      {{position_of(*first, faults_.file(file_)), "the first one is here"}});
      else
        *kept++ = entry;
    }
    entries.erase(kept, entries.end());
  }

  std::uint32_t file_;
  const std::string& text_;
  const parse_limits& limits_;
  std::deque<node>& arena_;
  report& faults_;
  std::vector<frame> open_;
  std::unordered_map<YAML::anchor_t, node*> anchors_;
  std::size_t values_ = 0;
  const node* root_ = nullptr;
  bool had_document_ = false;
};

// yaml-cpp's messages name its own grammar; these say what a writer can do.
std::string explain(const std::string& message) {
  struct entry {
    const char* theirs;
    const char* ours;
  };
  static const entry table[] = {
      {YAML::ErrorMsg::END_OF_MAP, "a key of the map was expected here: is the line indented as those above it?"},
      {YAML::ErrorMsg::END_OF_MAP_FLOW, "a `,` or `}` was expected here"},
      {YAML::ErrorMsg::END_OF_SEQ, "a `- ` of the list was expected here: is the line indented as those above it?"},
      {YAML::ErrorMsg::END_OF_SEQ_FLOW, "a `,` or `]` was expected here"},
      {YAML::ErrorMsg::MAP_VALUE,
       "this `:` can't stand here: quote a text that has `: ` in it, and check the indentation"},
      {YAML::ErrorMsg::BLOCK_ENTRY, "this `-` can't stand here"},
      {YAML::ErrorMsg::FLOW_END, "this bracket closes nothing"},
      {YAML::ErrorMsg::UNKNOWN_TOKEN, "a value can't begin with this character: quote it"},
      {YAML::ErrorMsg::UNKNOWN_ANCHOR, "this alias names no anchor before it"},
      {YAML::ErrorMsg::TAB_IN_INDENTATION, "a tab can't indent: use spaces"},
      {YAML::ErrorMsg::EOF_IN_SCALAR, "this quote is never closed"},
  };
  for (const auto& e : table) {
    if (message == e.theirs)
      return e.ours;
  }
  return message;
}

// yaml-cpp reads ahead to the end of a bracket before it tells of its beginning, at some 200 bytes for each that is
// open: where more are open than any file has, the file is refused unread. Brackets in texts are counted with the
// others.
std::optional<std::size_t> too_many_brackets(std::string_view text) {
  constexpr std::ptrdiff_t most = 100'000;
  std::ptrdiff_t open = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    open += text[i] == '[' || text[i] == '{' ? 1 : text[i] == ']' || text[i] == '}' ? -1 : 0;
    if (open > most)
      return i;
  }
  return {};
}

void syntax_error(std::uint32_t file, std::size_t offset, const std::string& message, const builder& events,
                  report& faults) {
  std::vector<report::pending_note> notes;
  const bool is_flow = message == YAML::ErrorMsg::END_OF_MAP_FLOW || message == YAML::ErrorMsg::END_OF_SEQ_FLOW;
  if (const auto* open = events.innermost(); open != nullptr && is_flow)
    notes.push_back({{file, open->offset, 1}, "for this one"});
  const auto& text = faults.file(file).text();
  offset = std::min(offset, text.size());
  const auto line = offset == 0 ? 0 : text.rfind('\n', offset - 1) + 1;
  const auto tab = text.find_first_not_of(' ', line);
  if (tab < offset && text[tab] == '\t' && !events.is_in_flow())
    faults.error("Y01", {file, static_cast<std::uint32_t>(tab), 1}, explain(YAML::ErrorMsg::TAB_IN_INDENTATION));
  else
    faults.error("Y01", {file, static_cast<std::uint32_t>(offset), 1}, explain(message), std::move(notes));
}

}  // namespace

position position_of(const node& n, const source& file) noexcept {
  const auto text = std::string_view(file.text());
  std::uint32_t length = 1;
  if (n.end > n.offset)
    length = n.end - n.offset;
  else if (n.is_scalar() && !n.text.empty() && text.substr(n.offset, n.text.size()) == n.text)
    length = static_cast<std::uint32_t>(n.text.size());
  return {n.file, n.offset, length};
}

const char* describe(const node& n) noexcept {
  switch (n.is) {
    case node::type::null:
      return "nothing";
    case node::type::scalar:
      return n.quoted ? "a quoted string" : "a word";
    case node::type::sequence:
      return "a list";
    case node::type::map:
      return "a map";
  }
  return "?";
}

const node* parse(std::uint32_t file, const parse_limits& limits, std::deque<node>& arena, report& faults) {
  bad_byte bad;
  if (find_bad_byte(faults.file(file).text(), bad)) {
    faults.error(bad.is_encoding ? "Y07" : "Y01", {file, static_cast<std::uint32_t>(bad.offset), 1}, bad.what);
    return nullptr;
  }
  if (const auto offset = too_many_brackets(faults.file(file).text())) {
    faults.error("Y06", {file, static_cast<std::uint32_t>(*offset), 1}, "too many brackets are open here");
    return nullptr;
  }
  auto text = faults.file(file).text();
  if (!text.empty() && text.back() != '\n')
    text += '\n';  // or an open quote would be told of where the text ends
  text_stream buffer(text);
  std::istream in(&buffer);
  builder events(file, limits, arena, faults);
  try {
    YAML::Parser parser(in);
    while (parser.HandleNextDocument(events)) {
    }
    return events.root();
  } catch (const end_of_pass&) {
    return events.root();
  } catch (const YAML::Exception& e) {
    const auto offset = e.mark.is_null() ? std::size_t{0} : static_cast<std::size_t>(std::max(e.mark.pos, 0));
    syntax_error(file, offset, e.msg, events, faults);
    return events.root();
  }
}

}  // namespace libactor::yaml
