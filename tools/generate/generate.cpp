// shmim-generate: what must never disagree with the tools' declarations is written from them.
// Copies a template from standard input and puts the generated part in the place of a line
// `@GENERATED@`:
//
//   shmim-generate man TOOL          sections OPTIONS and EXIT STATUS, for scdoc
//   shmim-generate completion SHELL  options and the kinds of their values, for bash, zsh or fish;
//                                    `@TOOLS@` are the names of the tools

#include <cstdio>
#include <fstream>
#include <map>

#include <fmt/ranges.h>

#include "common/app/tool.hpp"

namespace shmim::tools {
namespace {

struct Declared {
  const Registration* registration;
  std::unique_ptr<Tool> tool;
  std::unique_ptr<Options> options;
};

std::vector<Declared> declared_tools() {
  std::map<std::string_view, Declared> sorted;
  for (const Registration* entry = registrations(); entry != nullptr; entry = entry->next) {
    auto tool = entry->make();
    auto options = options_of(*entry, *tool);
    sorted.emplace(entry->name, Declared{entry, std::move(tool), std::move(options)});
  }
  std::vector<Declared> tools;
  tools.reserve(sorted.size());
  for (auto& [name, declared] : sorted) {
    tools.push_back(std::move(declared));
  }
  return tools;
}

/// False for flags, and for options whose value may be left out: what follows may be another word.
bool takes_value(const Option& option) { return !option.kind.empty() && !option.may_lack_value; }

std::string replaced(std::string text, std::string_view what, std::string_view with) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += with.size()) {
    text.replace(at, what.size(), with);
  }
  return text;
}

std::string scdoc_text(std::string text) {
  for (const char* special : {"\\", "_", "*", "[", "]", "<", ">", "@", "#"}) {
    text = replaced(text, special, fmt::format("\\{}", special));
  }
  return text;
}

/// The list of what is explained, each word of a name in bold.
std::string explained(const char* heading, const std::vector<Explained>& list) {
  std::string text = list.empty() ? "" : fmt::format("# {}\n\n", heading);
  for (const Explained& entry : list) {
    text += fmt::format("*{}*\n\t{}\n\n", replaced(scdoc_text(entry.name), " ", "* *"),
                        scdoc_text(entry.meaning));
  }
  return text;
}

std::string man(const Declared& declared) {
  std::string text = "# OPTIONS\n\n";
  for (const Option& option : declared.options->all()) {
    std::string names;
    for (const std::string& name : option.names) {
      names += fmt::format("{}*{}*", names.empty() ? "" : ", ", name);
    }
    if (!option.kind.empty()) {
      names += fmt::format("{}_{}_", names.empty() || option.is_attached ? "" : " ",
                           scdoc_text(option.kind));
    }
    text += fmt::format("{}\n\t{}\n\n", names, scdoc_text(option.description()));
  }
  text += explained("COLUMNS", declared.tool->columns());
  text += explained("KEYS", declared.tool->keys());
  text += "# EXIT STATUS\n\n";
  for (const ExitMeaning& meaning : declared.tool->exits()) {
    text += fmt::format("*{}*\n\t{}\n\n", meaning.status, scdoc_text(meaning.meaning));
  }
  return text;
}

std::vector<std::string> names_of(const std::vector<Declared>& tools) {
  std::vector<std::string> names;
  names.reserve(tools.size());
  for (const Declared& declared : tools) {
    names.push_back(fmt::format("shmim-{}", declared.registration->name));
  }
  return names;
}

/// The columns that any of them can show, each once.
std::string columns_of_all(const std::vector<Declared>& tools) {
  std::string names;
  for (const Declared& declared : tools) {
    for (const Explained& column : declared.tool->columns()) {
      if ((" " + names + " ").find(" " + column.name + " ") == std::string::npos) {
        names += (names.empty() ? "" : " ") + column.name;
      }
    }
  }
  return names;
}

/// `text` between single quotes of a shell.
std::string single_quoted(const std::string& text) {
  return "'" + replaced(text, "'", "'\\''") + "'";
}

std::string names_of_types() {
  std::vector<std::string_view> types;
  for (const DataType type : data_types()) {
    types.push_back(to_string(type));
  }
  return fmt::format("{}", fmt::join(types, " "));
}

/// What the completions offer for a value: `=` and the values themselves where they are known, of
/// which `=LIST ` takes several; else the kind, by which they know what to ask.
std::string offer_for(const Option& option, const std::string& columns) {
  if (!option.choices.empty()) {
    return fmt::format("={}", fmt::join(option.choices, " "));
  }
  if (option.kind == "TYPE") {
    return "=" + names_of_types();
  }
  if (option.kind == "PATTERN") {
    return fmt::format("={}", fmt::join(TestPattern::names(), " "));
  }
  if (option.kind == "COLUMN" || option.kind == "LIST") {
    return (option.kind == "LIST" ? "=LIST " : "=") + columns;
  }
  return option.kind;
}

std::string bash(const std::vector<Declared>& tools) {
  const std::string columns = columns_of_all(tools);
  std::string options;
  std::string kinds;
  for (const Declared& declared : tools) {
    const std::string tool = fmt::format("shmim-{}", declared.registration->name);
    std::vector<std::string> all;
    std::string positionals;
    for (const Option& option : declared.options->all()) {
      all.insert(all.end(), option.names.begin(), option.names.end());
      const std::string offer = single_quoted(offer_for(option, columns));
      if (option.is_positional()) {
        positionals += " " + offer;
      } else if (takes_value(option)) {
        kinds += fmt::format("    {0}:{1}) echo {2} ;;\n", tool,
                             fmt::join(option.names, fmt::format("|{}:", tool)), offer);
      }
    }
    options += fmt::format("    {}) echo '{}' ;;\n", tool, fmt::join(all, " "));
    kinds += fmt::format("    {}:) printf '%s\\n'{} ;;\n", tool, positionals);
  }
  return fmt::format(
      "_shmim_options() {{\n  case $1 in\n{}  esac\n}}\n\n"
      "_shmim_kind() {{\n  case $1:$2 in\n{}  esac\n}}\n\n_shmim_tools='{}'\n",
      options, kinds, fmt::join(names_of(tools), " "));
}

std::string zsh(const std::vector<Declared>& tools) {
  const std::string columns = columns_of_all(tools);
  std::string text = "case $service in\n";
  for (const Declared& declared : tools) {
    text += fmt::format("  shmim-{})\n    _arguments -s -S", declared.registration->name);
    int position = 0;
    for (const Option& option : declared.options->all()) {
      std::string description = option.description();
      for (const char* special : {"[", "]", ":"}) {
        description = replaced(description, special, fmt::format("\\{}", special));
      }
      const std::string kind = replaced(option.kind, ":", "\\:");
      // The blank keeps _arguments from slipping options of compadd in before ours.
      const std::string action =
          fmt::format(":{}: _shmim_values {}", replaced(replaced(kind, "[", ""), "]", ""),
                      single_quoted(offer_for(option, columns)));
      if (option.is_positional()) {
        const std::string place = option.is_list ? "*" : std::to_string(++position);
        text += fmt::format(" \\\n      {}", single_quoted(place + action));
      }
      for (const std::string& name : option.names) {
        text += fmt::format(" \\\n      {}",
                            single_quoted(fmt::format("*{}[{}]{}", name, description,
                                                      takes_value(option) ? action : "")));
      }
    }
    text += "\n    ;;\n";
  }
  return text + "esac\n";
}

std::string fish(const std::vector<Declared>& tools) {
  const std::string columns = columns_of_all(tools);
  std::string text;
  for (const Declared& declared : tools) {
    int position = 0;
    for (const Option& option : declared.options->all()) {
      std::string line = fmt::format("complete -c shmim-{}", declared.registration->name);
      for (const std::string& name : option.names) {
        line += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
      }
      if (takes_value(option)) {
        line += fmt::format(" {} -a '(__shmim_values \"{}\")'",
                            option.is_positional() ? "-f" : "-x", offer_for(option, columns));
      }
      if (option.is_positional()) {
        line += fmt::format(" -n '__shmim_{} {}'", option.is_list ? "from" : "at", position++);
      }
      text += fmt::format("{} -d {}\n", line, single_quoted(option.description()));
    }
  }
  return text;
}

std::string tool_names() { return fmt::format("{}", fmt::join(names_of(declared_tools()), " ")); }

std::string generate(const std::vector<std::string>& arguments) {
  const std::vector<Declared> tools = declared_tools();
  if (arguments.size() == 2 && arguments[0] == "completion") {
    const std::string& shell = arguments[1];
    return shell == "bash" ? bash(tools) : shell == "zsh" ? zsh(tools) : fish(tools);
  }
  for (const Declared& declared : tools) {
    if (arguments.size() == 2 && arguments[0] == "man" &&
        arguments[1] == declared.registration->name) {
      return man(declared);
    }
  }
  throw UsageError("usage: shmim-generate man TOOL | completion bash|zsh|fish");
}

}  // namespace
}  // namespace shmim::tools

int main(int argc, char** argv) {
  try {
    const std::string generated = shmim::tools::generate({argv + 1, argv + argc});
    const std::string tools = shmim::tools::tool_names();
    std::ifstream input("/dev/stdin");
    for (std::string line; std::getline(input, line);) {
      shmim::tools::write_stdout(line == "@GENERATED@"
                                     ? generated
                                     : shmim::tools::replaced(line, "@TOOLS@", tools) + "\n");
    }
    return 0;
  } catch (const std::exception& error) {
    static_cast<void>(std::fputs(error.what(), stderr));
  } catch (...) {  // whoever reads our output has gone
  }
  return 1;
}
