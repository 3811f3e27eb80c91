//! CloudFormation's answers.

use std::fmt::Write;

use super::answer::{Answer, OUR_TOKEN, element, query};

/// The ARN of the scripted stack of that name.
pub(crate) fn stack_id(name: &str) -> String {
    format!("arn:aws:cloudformation:eu-west-1:123456789012:stack/{name}/5c7b1e00-0000-11f0-8000-{name}")
}

/// A stack as DescribeStacks tells it; on its own it is the whole answer.
#[derive(Debug, Clone)]
pub(crate) struct StackAnswer {
    name: String,
    fields: String,
    outputs: String,
    tags: String,
    created: String,
}

pub(crate) fn stack(name: &str, status: &str) -> StackAnswer {
    StackAnswer {
        name: name.to_owned(),
        fields: element("StackStatus", Some(status)),
        outputs: String::new(),
        tags: String::new(),
        created: "2026-11-01T12:00:00.000Z".to_owned(),
    }
}

impl StackAnswer {
    /// rstack's tag.
    pub(crate) fn environment(self) -> Self {
        let name = self.name.clone();
        self.tag("rstack:environment", &name)
    }

    pub(crate) fn tag(mut self, key: &str, value: &str) -> Self {
        self.tags += &member(&(element("Key", Some(key)) + &element("Value", Some(value))));
        self
    }

    pub(crate) fn output(mut self, key: &str, value: &str) -> Self {
        self.outputs += &member(&(element("OutputKey", Some(key)) + &element("OutputValue", Some(value))));
        self
    }

    /// An output that other stacks can import under this name.
    pub(crate) fn export(mut self, name: &str) -> Self {
        let fields = element("OutputKey", Some("Out")) + &element("OutputValue", Some("v"));
        self.outputs += &member(&(fields + &element("ExportName", Some(name))));
        self
    }

    pub(crate) fn reason(mut self, reason: &str) -> Self {
        self.fields += &element("StackStatusReason", Some(reason));
        self
    }

    pub(crate) fn protected(mut self) -> Self {
        self.fields += "<EnableTerminationProtection>true</EnableTerminationProtection>";
        self
    }

    /// RFC 3339.
    pub(crate) fn created(mut self, time: &str) -> Self {
        time.clone_into(&mut self.created);
        self
    }

    fn xml(&self) -> String {
        let Self {
            name,
            fields,
            outputs,
            tags,
            created,
        } = self;
        let id = stack_id(name);
        member(&format!(
            "<StackName>{name}</StackName><StackId>{id}</StackId><CreationTime>{created}</CreationTime>{fields}\
             <Outputs>{outputs}</Outputs><Tags>{tags}</Tags>"
        ))
    }
}

impl From<StackAnswer> for Answer {
    fn from(stack: StackAnswer) -> Self {
        stacks([stack])
    }
}

/// DescribeStacks with several, or none.
pub(crate) fn stacks(stacks: impl IntoIterator<Item = StackAnswer>) -> Answer {
    stacks_page(stacks, None)
}

/// A page of DescribeStacks, and the token of the next one.
pub(crate) fn stacks_page(stacks: impl IntoIterator<Item = StackAnswer>, next: Option<&str>) -> Answer {
    let next = next.map_or_else(String::new, |token| format!("<NextToken>{token}</NextToken>"));
    let stacks: String = stacks.into_iter().map(|stack| stack.xml()).collect();
    query(format!("<Stacks>{stacks}</Stacks>{next}"))
}

/// Of every event: equal times are the hard case.
const TIME: &str = "2026-11-01T12:00:01.000Z";

/// An event of a stack's history. It carries the token of the running operation unless it says otherwise.
#[derive(Debug, Clone)]
pub(crate) struct EventAnswer {
    fields: String,
    token: Option<String>,
}

/// An event of a resource.
pub(crate) fn event(id: &str, logical_id: &str, resource_type: &str, status: &str) -> EventAnswer {
    EventAnswer {
        fields: element("EventId", Some(id))
            + &element("LogicalResourceId", Some(logical_id))
            + &element("ResourceType", Some(resource_type))
            + &element("ResourceStatus", Some(status)),
        token: Some(OUR_TOKEN.to_owned()),
    }
}

/// The stack's own event: its physical id is the stack's id.
pub(crate) fn stack_event(id: &str, stack: &str, status: &str) -> EventAnswer {
    event(id, stack, "AWS::CloudFormation::Stack", status).physical(&stack_id(stack))
}

impl EventAnswer {
    pub(crate) fn physical(mut self, id: &str) -> Self {
        self.fields += &element("PhysicalResourceId", Some(id));
        self
    }

    pub(crate) fn reason(mut self, reason: &str) -> Self {
        self.fields += &element("ResourceStatusReason", Some(reason));
        self
    }

    /// Of somebody else's operation; `None` for an event without one.
    pub(crate) fn token(mut self, token: Option<&str>) -> Self {
        self.token = token.map(str::to_owned);
        self
    }

    fn xml(&self) -> String {
        let token = element("ClientRequestToken", self.token.as_deref());
        member(&format!("<Timestamp>{TIME}</Timestamp>{token}{}", self.fields))
    }
}

/// A page of DescribeStackEvents, told oldest first and answered newest first, as the service does; `next` is the
/// token of the page with older events.
pub(crate) fn events(oldest_first: impl IntoIterator<Item = EventAnswer>, next: Option<&str>) -> Answer {
    let mut events: Vec<_> = oldest_first.into_iter().map(|event| event.xml()).collect();
    events.reverse();
    let next = element("NextToken", next);
    query(format!("<StackEvents>{}</StackEvents>{next}", events.concat()))
}

/// DescribeEvents; each is given as pairs of element and text.
pub(crate) fn operation_events(events: &[&[(&str, &str)]]) -> Answer {
    let events: String = events
        .iter()
        .map(|fields| {
            member(
                &fields
                    .iter()
                    .map(|(name, value)| element(name, Some(value)))
                    .collect::<String>(),
            )
        })
        .collect();
    query(format!("<OperationEvents>{events}</OperationEvents>"))
}

/// One line of ListStackResources.
pub(crate) fn resource(logical_id: &str, physical_id: &str, resource_type: &str, status: &str) -> String {
    let physical = Some(physical_id).filter(|id| !id.is_empty());
    member(
        &(element("LogicalResourceId", Some(logical_id))
            + &element("PhysicalResourceId", physical)
            + &element("ResourceType", Some(resource_type))
            + &element("ResourceStatus", Some(status))
            + "<LastUpdatedTimestamp>2026-11-01T12:00:05.000Z</LastUpdatedTimestamp>"),
    )
}

/// ListStackResources.
pub(crate) fn resources(lines: impl IntoIterator<Item = String>) -> Answer {
    let lines: String = lines.into_iter().collect();
    query(format!("<StackResourceSummaries>{lines}</StackResourceSummaries>"))
}

/// ListImports: the names of the importing stacks.
pub(crate) fn imports(stacks: &[&str]) -> Answer {
    let stacks: String = stacks.iter().map(|stack| member(stack)).collect();
    query(format!("<Imports>{stacks}</Imports>"))
}

/// GetTemplate.
pub(crate) fn template(body: &str) -> Answer {
    query(element("TemplateBody", Some(body)))
}

/// DescribeChangeSet.
pub(crate) fn change_set(name: &str, stack: &str, status: &str, changes: impl IntoIterator<Item = String>) -> Answer {
    let changes: String = changes.into_iter().collect();
    let execution = if status == "CREATE_COMPLETE" {
        "AVAILABLE"
    } else {
        "UNAVAILABLE"
    };
    let mut xml = String::new();
    let _ = write!(
        xml,
        "<ChangeSetName>{name}</ChangeSetName><ChangeSetId>arn:aws:cloudformation:eu-west-1:123456789012:changeSet/{name}/1\
         </ChangeSetId><StackName>{stack}</StackName><StackId>{}</StackId><Status>{status}</Status>\
         <ExecutionStatus>{execution}</ExecutionStatus><CreationTime>2026-11-01T12:00:00.000Z</CreationTime>\
         <Changes>{changes}</Changes>",
        stack_id(stack)
    );
    query(xml)
}

/// One change: "Add", "Modify" or "Remove"; `replacement` is "True", "False" or "Conditional".
pub(crate) fn change(action: &str, logical_id: &str, resource_type: &str, replacement: Option<&str>) -> String {
    let fields = element("Action", Some(action))
        + &element("LogicalResourceId", Some(logical_id))
        + &element("ResourceType", Some(resource_type))
        + &element("Replacement", replacement);
    member(&format!(
        "<Type>Resource</Type><ResourceChange>{fields}</ResourceChange>"
    ))
}

fn member(inner: &str) -> String {
    format!("<member>{inner}</member>")
}
