// SPDX-License-Identifier: BSL-1.0
//
// An image as bytes, for the warden: both ends are one program, so numbers travel as they are in memory.
#include "process/child_image.hpp"

#include <cstring>

namespace libactor::process {

namespace {

class writer {
 public:
  template <class T>
  void number(T x) {
    const auto at = bytes_.size();
    bytes_.resize(at + sizeof x);
    std::memcpy(bytes_.data() + at, &x, sizeof x);
  }
  void text(const std::string& x) {
    number(x.size());
    bytes_ += x;
  }
  void texts(const std::vector<std::string>& all) {
    number(all.size());
    for (const auto& x : all)
      text(x);
  }
  std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

class reader {
 public:
  explicit reader(std::string_view bytes) : rest_(bytes) {}
  template <class T>
  T number() {
    T x{};
    if (rest_.size() < sizeof x) {
      rest_ = {};
      return x;
    }
    std::memcpy(&x, rest_.data(), sizeof x);
    rest_.remove_prefix(sizeof x);
    return x;
  }
  std::string text() {
    const auto size = std::min(number<std::size_t>(), rest_.size());
    std::string x(rest_.substr(0, size));
    rest_.remove_prefix(size);
    return x;
  }
  std::vector<std::string> texts() {
    std::vector<std::string> all;
    for (auto left = number<std::size_t>(); left != 0 && !rest_.empty(); --left)
      all.push_back(text());
    return all;
  }

 private:
  std::string_view rest_;
};

}  // namespace

std::string child_image::encode() const {
  writer out;
  out.texts(spec_.command);
  out.texts(environment_);
  out.texts(candidates_);
  out.text(spec_.cwd);
  out.number(spec_.no_new_privs);
  out.number(limits_.size());
  for (const auto& x : limits_) {
    out.number(x.resource);
    out.number(x.value);
  }
  out.number(changes_user_);
  out.number(uid_);
  out.number(gid_);
  out.number(groups_.size());
  for (const auto x : groups_)
    out.number(x);
  return out.take();
}

child_image child_image::decode(std::string_view bytes) {
  reader in(bytes);
  child_image image;
  image.spec_.command = in.texts();
  image.environment_ = in.texts();
  image.candidates_ = in.texts();
  image.spec_.cwd = in.text();
  image.spec_.no_new_privs = in.number<bool>();
  image.limits_.resize(in.number<std::size_t>());
  for (auto& x : image.limits_) {
    x.resource = in.number<int>();
    x.value = in.number<rlim_t>();
  }
  image.changes_user_ = in.number<bool>();
  image.uid_ = in.number<uid_t>();
  image.gid_ = in.number<gid_t>();
  image.groups_.resize(in.number<std::size_t>());
  for (auto& x : image.groups_)
    x = in.number<gid_t>();
  image.point();
  return image;
}

}  // namespace libactor::process
