// Template: the Kinesis Data Generator's template language. Text with tags such as
// {{random.number({"min":1,"max":9})}}, rendered to one record at a time.
//
// The rules are the generator's own (faker 3.1.0 and its additions): newlines are removed, a tag
// runs from the first {{ to the first }}, one argument, JSON if it parses and text otherwise,
// results are scanned again. Served modules: random, internet, date, name. The rest is listed in
// docs/gaps.md.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "generator/draw.h"

namespace laketap::generator {

class Template {
 public:
  // Errors: invalid - the generator's own words, "Invalid module: X" or "Invalid method: X.Y";
  //         unsupported - a module of the generator that is not served yet.
  static Result<Template> parse(std::string_view text);

  // One record, without the line break that the generator adds. Thread-safe: `draw` holds the
  // state.
  Result<std::string> render(Draw& draw, Timestamp now) const;

  // Renders onto the end of `target`. The same as render() without an allocation a record.
  Result<> render_onto(std::string& target, Draw& draw, Timestamp now) const;

 private:
  struct Part;
  std::string cleaned_;
  std::vector<std::shared_ptr<const Part>> parts_;
  bool rescan_ = false;  // A result may hold braces or `$`: replay the original's replace loop.
};

// The guide's clickstream events, by the name `builtin:clickstream`; absent for an unknown name.
std::string_view builtin_template(std::string_view name);

}  // namespace laketap::generator
